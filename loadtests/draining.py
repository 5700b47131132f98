"""The end of a test: nothing new begins, and all processes wait for what is in flight.

locust stops its users at once. What Edge has not answered by then would be in no statistics, and
that is the slowest of all.
"""

from typing import Final

import gevent
from gevent.event import Event
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from loadtests.session import DRAIN_TIMEOUT_S, Session

_DRAIN: Final = "loadtest-drain"
_DRAINED: Final = "loadtest-drained"


class _Answers:
    """Which workers have drained; `all_in` is set when these are as many as were asked."""

    def __init__(self) -> None:
        self.workers: set[str] = set()
        self.asked = 0
        self.all_in = Event()

    def ask(self, runner: MasterRunner) -> None:
        self.workers.clear()
        self.all_in.clear()
        self.asked = len(runner.clients.running)
        runner.send_message(_DRAIN)

    def heard(self, msg: Message, **_: object) -> None:
        self.workers.add(msg.node_id)
        if len(self.workers) >= self.asked:
            self.all_in.set()


_answers: Final = _Answers()


def listen_for_drain(session: Session) -> None:
    runner = session.environment.runner
    if isinstance(runner, MasterRunner):
        runner.register_message(_DRAINED, _answers.heard)
    elif isinstance(runner, WorkerRunner):
        runner.register_message(_DRAIN, lambda **_: gevent.spawn(_drain, session, runner))


def _drain(session: Session, runner: WorkerRunner) -> None:
    session.drain()
    runner.send_message(_DRAINED)


def drain_all(session: Session) -> None:
    """Drain this process, or have the workers do it and wait for them."""
    runner = session.environment.runner
    if not isinstance(runner, MasterRunner):
        session.drain()
        return
    _answers.ask(runner)
    if _answers.asked:
        _answers.all_in.wait(DRAIN_TIMEOUT_S * 1.5)
