"""Whom HAProxy sends requests to just now, as its statistics say."""

import csv
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from tests.support.balancers import KINDS, Balancer, running_balancer
from tests.support.ports import free_port

_TIMEOUT_S: Final = 5


class Watched(msgspec.Struct, frozen=True):
    """A HAProxy in front of a fleet, with a socket that tells its statistics."""

    balancer: Balancer
    stats_port: int

    @property
    def port(self) -> int:
        return self.balancer.port

    def states(self) -> dict[str, str]:
        """Give the state of each replica, such as `UP` and `DOWN`."""
        with socket.create_connection(("127.0.0.1", self.stats_port), _TIMEOUT_S) as connection:
            connection.sendall(b"show stat\n")
            text = connection.makefile().read().removeprefix("# ")
        servers = [row for row in csv.DictReader(text.splitlines()) if row["svname"][:4] == "edge"]
        return {row["svname"]: row["status"] for row in servers}

    def are_all_in(self) -> bool:
        """Whether each replica gets its share, as far as HAProxy knows."""
        return set(self.states().values()) == {"UP"}

    def is_one_out(self) -> bool:
        return any(state.startswith("DOWN") for state in self.states().values())


@contextmanager
def running_haproxy(edge: tuple[int, int]) -> Iterator[Watched]:
    """Run it with the file of `deploy/`, in which only that socket is added."""
    port = free_port()
    told = f"global\n    stats socket ipv4@127.0.0.1:{port} level user\n\ndefaults\n"
    with running_balancer(KINDS["haproxy"], "api", edge, breaking={"defaults\n": told}) as running:
        yield Watched(running, port)
