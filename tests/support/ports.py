"""Ports of the loopback interface."""

import socket

from tests.support import workers


def free_port() -> int:
    """Give a port nobody listens on just now, and that no other worker of this run is given."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port // 2 % workers.COUNT == workers.NUMBER:  # Linux gives odd ones only, mostly
            return port


def is_listening(port: int) -> bool:
    """Say whether somebody accepts connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
