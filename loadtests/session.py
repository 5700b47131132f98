"""What the users of one process share: the options, the ledger, what counts and what does not."""

import time
from argparse import Namespace
from typing import Final
from weakref import WeakKeyDictionary

import gevent
from gevent.event import Event
from gevent.pool import Pool
from locust.env import Environment

from loadtests.drift import THIRDS, Sample
from loadtests.faults import Happened
from loadtests.histogram import add
from loadtests.ledger import Ledger, together
from loadtests.terms import ShapeName, Terms
from loadtests.token_source import TokenSource

# How long answers are waited for at the end: longer than Edge waits for its database (5 s).
DRAIN_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.05


class Session:
    """The state of a process from its start to the verdict.

    `problems` are reasons for which no run can be valid. `ready` is set when everything that users
    need was prepared.
    """

    def __init__(self, environment: Environment, scenario: str, terms: Terms) -> None:
        self.environment = environment
        self.scenario = scenario
        self.terms = terms
        self.profile = str(self.options.profile or "")  # the page may name another later
        self.problems: list[str] = []
        self.ready = Event()
        self.tokens = TokenSource(self.options, self.processes)
        self._pools: list[Pool] = []
        self.restart()

    def restart(self) -> None:
        """Begin a test; in the web interface several follow each other."""
        self.ledger = Ledger()
        self.of_workers: dict[str, Ledger] = {}
        self.heard_at_s: dict[str, float] = {}
        self.began_s = time.perf_counter()
        self.stopped_s: float | None = None
        self.workers_at_stop: int | None = None
        self.is_draining = False
        self.is_saturated = False
        self.happened: list[Happened] = []
        self.samples: list[Sample] = []
        self._pools.clear()

    @property
    def options(self) -> Namespace:
        options = self.environment.parsed_options
        assert isinstance(options, Namespace)  # noqa: S101  # locust was started by its command
        return options

    @property
    def shape(self) -> ShapeName:
        chosen: ShapeName = self.options.shape or self.terms.shape
        return chosen

    @property
    def warm_up_s(self) -> float:
        chosen: float | None = self.options.warm_up_s
        return self.terms.warm_up_s if chosen is None else chosen

    @property
    def planned_s(self) -> float | None:
        """How long it is to take; None where nobody said.

        The master hands it on to its workers, which locust's own option does not reach.
        """
        planned_s: float | None = self.options.planned_s
        return planned_s

    def plan(self) -> None:
        self.options.planned_s = self.options.run_time

    @property
    def processes(self) -> int:
        """How many processes generate load."""
        count: int = self.options.processes or self.options.expect_workers
        return max(count, 1)

    @property
    def whole_ledger(self) -> Ledger:
        """What all processes counted."""
        return together([self.ledger, *self.of_workers.values()])

    @property
    def elapsed_s(self) -> float:
        return (self.stopped_s or time.perf_counter()) - self.began_s

    @property
    def url(self) -> str:
        """Where Edge is, without a slash at the end."""
        return str(self.environment.host or "").rstrip("/")

    def is_measured(self, due_s: float) -> bool:
        """Whether a request that was due then counts: it is no part of the warm-up."""
        return due_s >= self.began_s + self.warm_up_s

    @property
    def slots(self) -> int:
        """How many parts of the run are counted apart: steps, or the thirds of a soak."""
        steps: int = self.options.steps
        return {"step": steps, "soak": THIRDS}.get(self.shape, 0)

    @property
    def slot_s(self) -> float:
        return (self.planned_s or 0.0) / self.slots

    @property
    def counted_s(self) -> float:
        """How much of each part is counted."""
        settle_s: float = self.options.settle_s
        return self.slot_s - settle_s

    def slot(self, at_s: float) -> int | None:
        """Which part this moment is in; None where it is settling, or where there are none."""
        if not self.slots or self.planned_s is None:
            return None
        number, into_s = divmod(at_s - self.began_s, self.slot_s)
        return int(number) if into_s >= self.options.settle_s else None

    def count_arrival(self, name: str, due_s: float, *, is_dropped: bool) -> None:
        if self.is_measured(due_s):
            row = self.ledger.row(name)
            row.arrivals += 1
            row.dropped += is_dropped
        slot = self.slot(due_s)
        if slot is not None:
            self.ledger.slot(slot).offered += 1

    def count_start(self, due_s: float) -> None:
        """Count that a request of an open loop is being sent."""
        lag_ms = (time.perf_counter() - due_s) * 1000
        if self.is_measured(due_s):
            add(self.ledger.lag, lag_ms)
        slot = self.slot(due_s)
        if slot is not None:
            add(self.ledger.slot(slot).lag, lag_ms)

    def count_right(self, name: str, *, due_s: float, sent_s: float, ended_s: float) -> None:
        """Count an answer as it should be."""
        if self.is_measured(due_s):
            row = self.ledger.row(name)
            row.answered += 1
            add(row.service, (ended_s - sent_s) * 1000)
        slot = self.slot(ended_s)
        if slot is not None:
            self.ledger.slot(slot).achieved += 1
            add(self.ledger.slot(slot).latency, (ended_s - due_s) * 1000)

    def watch(self, pool: Pool) -> None:
        """Have the requests of an open loop waited for at the end."""
        self._pools.append(pool)

    def drain(self) -> None:
        """Let nothing more begin, and wait for what is in flight."""
        self.is_draining = True
        deadline_s = time.perf_counter() + DRAIN_TIMEOUT_S
        while any(map(len, self._pools)) and time.perf_counter() < deadline_s:
            gevent.sleep(_POLL_S)


# locust makes the users itself and hands them its environment, which is all that they can go by.
_sessions: Final[WeakKeyDictionary[Environment, Session]] = WeakKeyDictionary()


def open_session(session: Session) -> None:
    _sessions[session.environment] = session


def session_of(environment: Environment) -> Session:
    return _sessions[environment]
