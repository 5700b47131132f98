"""HTTP as it is sent: targets and fields that clients would mend first."""

import http.client
import select
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import msgspec

_TIMEOUT_S: Final = 10
_PIECE_BYTES: Final = 8192
_PAUSE_S: Final = 0.01


class RawAnswer(msgspec.Struct, frozen=True):
    """An answer; `is_cut` when the connection ended before as many bytes came as were announced."""

    status: int
    fields: Mapping[str, str]
    body: bytes
    is_cut: bool = False


@contextmanager
def asked(
    port: int,
    target: bytes,
    fields: Iterable[str] = (),
    method: str = "GET",
    client: str = "127.0.0.1",
) -> Iterator[socket.socket]:
    """Send a request and give the connection, from which nothing was taken yet.

    `client` is the address that it comes from, any of 127.0.0.0/8.
    """
    lines = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: edge.test"]
    lines += [field.encode("latin-1") for field in fields]
    with socket.create_connection(
        ("127.0.0.1", port), timeout=_TIMEOUT_S, source_address=(client, 0)
    ) as connection:
        connection.sendall(b"\r\n".join([*lines, b"", b""]))
        yield connection


def take_answer(connection: socket.socket, method: str = "GET") -> RawAnswer:
    """Read the answer to the request that was sent last."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    # One that came twice is a list, as any reader of HTTP takes it.
    fields = {name.lower(): response.getheader(name, "") for name, _ in response.getheaders()}
    try:
        return RawAnswer(response.status, fields, response.read())
    except http.client.IncompleteRead as error:
        return RawAnswer(response.status, fields, error.partial, is_cut=True)


def send_until_answered(connection: socket.socket, *, is_chunked: bool, most_bytes: int) -> None:
    """Send a body without an end, until something is answered."""
    piece = b"x" * _PIECE_BYTES
    framed = b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece
    for _ in range(most_bytes // _PIECE_BYTES):
        if select.select([connection], [], [], _PAUSE_S)[0]:
            return
        connection.sendall(framed)


def ask(
    port: int,
    target: bytes,
    fields: Iterable[str] = (),
    method: str = "GET",
    client: str = "127.0.0.1",
) -> RawAnswer:
    """Ask on a connection of its own."""
    with asked(port, target, [*fields, "Connection: close"], method, client) as connection:
        return take_answer(connection, method)


def code_of(answer: RawAnswer) -> str:
    """Give the `code` of a problem document, which has to be one."""
    document = msgspec.json.decode(answer.body)
    assert answer.fields["content-type"] == "application/problem+json", answer
    assert document["status"] == answer.status, answer
    code: str = document["code"]
    return code
