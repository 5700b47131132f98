"""The same rate against a server that freezes, as an open loop and as a closed one."""

from typing import Final

from locust import constant_throughput, task

from loadtests.answers import Call, status
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
