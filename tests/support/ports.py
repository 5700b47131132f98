"""Ports of the loopback interface."""

import random
import socket
from typing import Final

from tests.support import workers

# Below what Linux gives to connections that go out, from 32,768: one of those could take a port
# between its choice here and the start of the server it is for.
_SHARE: Final = range(12_000 + workers.NUMBER, 32_000, workers.COUNT)
_UNUSED: Final = iter(random.SystemRandom().sample(_SHARE, len(_SHARE)))


def free_port() -> int:
    """Give a port nobody listens on just now, and that nobody else in this run is given."""
    return next(port for port in _UNUSED if not is_listening(port))


def is_listening(port: int) -> bool:
    """Say whether somebody accepts connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
