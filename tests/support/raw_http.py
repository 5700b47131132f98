"""HTTP as it is sent: targets and fields that clients would mend first."""

import http.client
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import msgspec

_TIMEOUT_S: Final = 10


class RawAnswer(msgspec.Struct, frozen=True):
    """An answer; `is_cut` when the connection ended before as many bytes came as were announced."""

    status: int
    fields: Mapping[str, str]
    body: bytes
    is_cut: bool = False


@contextmanager
def asked(
    port: int, target: bytes, fields: Iterable[str] = (), method: str = "GET"
) -> Iterator[socket.socket]:
    """Send a request and give the connection, from which nothing was taken yet."""
    lines = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: edge.test"]
    lines += [field.encode("latin-1") for field in fields]
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as connection:
        connection.sendall(b"\r\n".join([*lines, b"", b""]))
        yield connection


def take_answer(connection: socket.socket, method: str = "GET") -> RawAnswer:
    """Read the answer to the request that was sent last."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    fields = {name.lower(): value for name, value in response.getheaders()}
    try:
        return RawAnswer(response.status, fields, response.read())
    except http.client.IncompleteRead as error:
        return RawAnswer(response.status, fields, error.partial, is_cut=True)


def ask(port: int, target: bytes, fields: Iterable[str] = (), method: str = "GET") -> RawAnswer:
    """Ask on a connection of its own."""
    with asked(port, target, [*fields, "Connection: close"], method) as connection:
        return take_answer(connection, method)
