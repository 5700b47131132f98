"""Requests that no client should send, byte by byte to a real server."""

import json
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

# Longer than anything here may take; a test that waits for it has failed.
PATIENCE_S = 20
JSON = b"Content-Type: application/json\r\n"


class Reply(NamedTuple):
    """An answer, and whether the server ended the connection after it."""

    status: int
    fields: dict[str, str]
    body: bytes
    is_closed: bool

    @property
    def code(self) -> str:
        code: str = json.loads(self.body)["code"]
        return code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeServer]:
    environment = {
        **TEST_ENVIRONMENT,
        "EDGE_SERVER_BODY_TIMEOUT_S": "0.5",
        "EDGE_SERVER_MAX_BODY_BYTES": "2048",
        "EDGE_SERVER_MAX_URL_BYTES": "1024",
        "EDGE_SERVER_MAX_HEADER_FIELDS": "20",
    }
    with EdgeServer(environment, tmp_path_factory.mktemp("odd")) as running:
        yield running


def ask(server: EdgeServer, request: bytes) -> Reply:
    """Send these bytes and no more, and read until the answer is whole."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        connection.sendall(request)
        head, _, rest = _until(connection, b"", b"\r\n\r\n").partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = _until(connection, rest, int(fields.get("content-length", "0")))
        is_closed = fields.get("connection") == "close" and connection.recv(1) == b""
    return Reply(int(first.split(" ")[1]), fields, body, is_closed)


def _until(connection: socket.socket, data: bytes, wanted: bytes | int) -> bytes:
    while (len(data) < wanted) if isinstance(wanted, int) else (wanted not in data):
        part = connection.recv(65_536)
        assert part, f"the server closed after {data!r}"
        data += part
    return data


def _all(connection: socket.socket) -> bytes:
    """Read until the server has closed."""
    data = b""
    while part := connection.recv(65_536):
        data += part
    return data


def get(path: bytes = b"/livez", fields: bytes = b"Host: edge.test\r\n") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + fields + b"\r\n"


def post(fields: bytes, body: bytes = b"") -> bytes:
    return b"POST /login HTTP/1.1\r\nHost: edge.test\r\n" + JSON + fields + b"\r\n" + body


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        pytest.param(get(fields=b""), 400, "host_invalid", id="no host"),
        pytest.param(get(fields=b"Host:\r\n"), 400, "host_invalid", id="empty host"),
        pytest.param(get(fields=b"Host: a, b\r\n"), 400, "host_invalid", id="two in one"),
        pytest.param(get(fields=b"Host: a/b\r\n"), 400, "host_invalid", id="a path in it"),
        pytest.param(get(fields=b"Host: a\r\nHost: a\r\n"), 400, "field_repeated", id="two hosts"),
        pytest.param(
            post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
            400,
            "field_repeated",
            id="chunked twice",
        ),
        pytest.param(
            post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
            400,
            "field_repeated",
            id="chunked twice in one field",
        ),
        pytest.param(get(b"/a//livez"), 400, "path_ambiguous", id="empty segment"),
        pytest.param(get(b"/a/../livez"), 400, "path_ambiguous", id="dot segments"),
        pytest.param(get(b"/..;/livez"), 400, "path_ambiguous", id="dots and a parameter"),
        pytest.param(get(b"/%2e%2e/livez"), 400, "path_ambiguous", id="encoded dots"),
        pytest.param(get(b"/a%2flivez"), 400, "path_ambiguous", id="encoded slash"),
        pytest.param(get(b"/%6civez"), 400, "path_ambiguous", id="encoded letter"),
        pytest.param(get(b"/live%2dz"), 400, "path_ambiguous", id="encoded hyphen"),
        pytest.param(get(b"/livez%00"), 400, "path_ambiguous", id="NUL"),
        pytest.param(get(b"/%c0%ae"), 400, "path_ambiguous", id="overlong"),
        pytest.param(get(b"/a%"), 400, "path_ambiguous", id="a lone percent"),
        pytest.param(get(b"/a\\b"), 400, "path_ambiguous", id="backslash"),
        pytest.param(get(b"/livez?" + b"q" * 1024), 414, "url_too_long", id="long URL"),
        pytest.param(
            get(fields=b"Host: a\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(20))),
            431,
            "too_many_fields",
            id="many fields",
        ),
        pytest.param(post(b"Content-Length: 2049\r\n"), 413, "body_too_large", id="long body"),
        pytest.param(
            post(b"Transfer-Encoding: chunked\r\n", b"801\r\n" + b" " * 0x801 + b"\r\n"),
            413,
            "body_too_large",
            id="long body in chunks",
        ),
        pytest.param(post(b"Content-Length: 9\r\n", b"{"), 408, "body_timeout", id="stalled"),
        pytest.param(
            post(b"Transfer-Encoding: chunked\r\n", b"1\r\n{\r\n"),
            408,
            "body_timeout",
            id="stalled in chunks",
        ),
        pytest.param(
            post(b"Content-Length: 9000\r\nExpect: 100-continue\r\n"),
            413,
            "body_too_large",
            id="long body not sent yet",
        ),
    ],
)
def test_an_odd_request_is_refused_and_ends_its_connection(
    server: EdgeServer, request_: bytes, status: int, code: str
) -> None:
    """With a code, all headers, and nothing read of what might follow."""
    reply = ask(server, request_)
    assert (reply.status, reply.code, reply.is_closed) == (status, code, True)
    assert reply.fields["content-type"] == "application/problem+json"
    assert reply.fields["x-content-type-options"] == "nosniff"
    assert reply.fields["server"] == ""


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(b"GET /livez HTTP/1.0\r\n\r\n", 200, id="HTTP/1.0 without a host"),
        pytest.param(get(fields=b"Host: [::1]:8000\r\n"), 200, id="an IPv6 host"),
        pytest.param(b"GET http://edge.test/livez HTTP/1.1\r\nHost: edge.test\r\n\r\n", 200),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: edge.test\r\n\r\n", 404, id="asterisk"),
        pytest.param(get(b"/caf%C3%A9"), 404, id="encoded text"),
    ],
)
def test_a_plain_request_passes(server: EdgeServer, request_: bytes, status: int) -> None:
    """What clients and balancers send is not refused for its form."""
    assert ask(server, request_).status == status


def test_a_body_that_nobody_reads_holds_nothing_up(server: EdgeServer) -> None:
    """A refusal does not wait for the body, and the connection does not wait for it either."""
    request = b"POST /logout HTTP/1.1\r\nHost: edge.test\r\nContent-Length: 2000\r\n\r\nx"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        connection.sendall(request)
        assert _all(connection).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 9\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n9\r\n{"],
    ids=["announced", "in chunks"],
)
def test_a_body_that_is_cut_off_is_no_body(server: EdgeServer, body: bytes) -> None:
    """What came of it is not taken for the whole, and it is no error of the server."""
    head = b"POST /login HTTP/1.1\r\nHost: edge.test\r\n" + JSON
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        answer = _all(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"body_incomplete"' in answer
    assert "unexpected error" not in server.error_text()


@pytest.mark.parametrize("length", [9, 9000])
def test_forms_that_do_not_come_end_their_connection_too(server: EdgeServer, length: int) -> None:
    """OAuth endpoints answer in their own form (RFC 6749 section 5.2), and wait no longer."""
    head = b"POST /token HTTP/1.1\r\nHost: edge.test\r\nContent-Length: %d\r\n" % length
    form = b"Content-Type: application/x-www-form-urlencoded\r\n\r\na"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        connection.sendall(head + form)
        answer = _all(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"error":"invalid_request"' in answer
