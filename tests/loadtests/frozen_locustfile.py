"""The same rate against a server that freezes: open and closed loops, and sick generators."""

from typing import Final

import gevent
from gevent.monkey import get_original
from locust import constant_throughput, task

from loadtests.answers import Call, status
from loadtests.session import Session
from loadtests.users import EdgeUser, OpenLoopUser

RATE_PER_S: Final = 20.0


class Open(OpenLoopUser):
    name = "open"
    rate_per_s = RATE_PER_S

    def arrival(self, due_s: float) -> None:
        self.ask(Call(self.name, "/", status(200), "open: answered"), due_s)


class Closed(EdgeUser):
    wait_time = constant_throughput(RATE_PER_S)

    @task
    def ask_again(self) -> None:
        self.ask(Call("closed", "/", status(200), "closed: answered"))


class Stalled(OpenLoopUser):
    """An open loop in a generator that does nothing for four fifths of each second."""

    name = "stalled"
    rate_per_s = RATE_PER_S

    @classmethod
    def prepare(cls, session: Session) -> None:  # noqa: ARG003  # as the others have it
        gevent.spawn(stall)

    def arrival(self, due_s: float) -> None:
        self.ask(Call(self.name, "/", status(200), "stalled: answered"), due_s)


class Faulty(Open):
    """An open loop with a mistake that only some arrivals meet."""

    def arrival(self, due_s: float) -> None:
        if self.chance.random() < 1 / 2:
            message = "a mistake of the generator"
            raise KeyError(message)
        super().arrival(due_s)


def stall() -> None:
    sleep = get_original("time", "sleep")
    while True:
        gevent.sleep(0.2)
        sleep(0.8)
