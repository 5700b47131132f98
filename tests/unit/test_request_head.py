"""Heads of requests that can be read in two ways, or are too much."""

from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from edge.http.request_head import HeadLimits, fault_of
from edge.reasons import Reason

HOST = (b"host", b"edge.test")
LIMITS = HeadLimits(header_fields=4, url_bytes=32)


def fault(
    headers: list[tuple[bytes, bytes]] | None = None,
    path: bytes = b"/",
    query: bytes = b"",
    **scope: object,
) -> Reason | None:
    request: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": unquote_to_bytes(path).decode(errors="replace"),  # as servers do
        "raw_path": path,
        "query_string": query,
        "headers": [HOST] if headers is None else headers,
        **scope,
    }
    return fault_of(request, dict(request["headers"]), LIMITS)


@pytest.mark.parametrize(
    "host",
    [
        b"edge.test",
        b"Edge.Test:8443",
        b"localhost",
        b"my_service:80",
        b"127.0.0.1:8000",
        b"[::1]",
        b"[2001:db8::1]:443",
    ],
)
def test_a_host_is_a_name_or_an_address_with_a_port_or_without(host: bytes) -> None:
    """What clients and balancers really send passes."""
    assert fault([(b"host", host)]) is None


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b" ",
        b"edge.test/path",
        b"user@edge.test",
        b"edge.test, evil.test",
        b"edge test",
        b"edge.test:port",
        b"edge.test:99999",
        b"edge.test#",
        b"edge.test?",
        b"[::1",
        b"[edge]",
        b"::1",
        b"edge.test\x00",
        b"<script>",
        b"a" * 300,
        "bücher.test".encode(),
    ],
)
def test_what_is_no_host_is_refused(host: bytes) -> None:
    """A host that others would read in another way names nothing (RFC 9112 section 3.2)."""
    assert fault([(b"host", host)]) is Reason.HOST_INVALID


@pytest.mark.parametrize(
    ("version", "is_refused"), [("1.1", True), ("2", True), ("1.0", False), ("1", False)]
)
def test_only_http_1_0_may_be_without_a_host(
    version: str,
    is_refused: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """The checks of balancers that speak it have none; everybody else must say it."""
    assert fault([], http_version=version) is (Reason.HOST_INVALID if is_refused else None)


@pytest.mark.parametrize("name", [b"host", b"transfer-encoding", b"content-length", b"origin"])
def test_a_field_that_decides_something_is_there_once(name: bytes) -> None:
    """Twice, and some would go by the first and some by the last, even if both say the same."""
    value = dict([HOST]).get(name, b"1")
    once = [(name, value)] if name == b"host" else [HOST, (name, value)]
    assert fault(once) is None
    assert fault([*once, (name, value)]) is Reason.FIELD_REPEATED


@pytest.mark.parametrize("value", [b"chunked, chunked", b"chunked,chunked", b"gzip, chunked"])
def test_there_is_one_transfer_coding(value: bytes) -> None:
    """Two fields may have been joined on the way; nobody here removes another coding."""
    assert fault([HOST, (b"transfer-encoding", b"chunked")]) is None
    assert fault([HOST, (b"transfer-encoding", value)]) is Reason.FIELD_REPEATED


def test_other_fields_may_be_repeated() -> None:
    """Lists may come in parts (RFC 9110 section 5.3)."""
    assert fault([HOST, (b"accept", b"a/b"), (b"accept", b"c/d")]) is None


def test_there_may_be_so_many_fields() -> None:
    """The limit is the last number that passes."""
    fields = [HOST, *[(b"x-%d" % number, b"") for number in range(4)]]
    assert fault(fields[:4]) is None
    assert fault(fields) is Reason.TOO_MANY_FIELDS


@pytest.mark.parametrize(
    ("path", "query", "is_refused"),
    [
        (b"/" + b"a" * 31, b"", False),
        (b"/" + b"a" * 32, b"", True),
        (b"/", b"q" * 31, False),
        (b"/", b"q" * 32, True),
        (b"/" + b"a" * 16, b"q" * 16, True),
    ],
)
def test_path_and_query_may_be_so_long_together(
    path: bytes,
    query: bytes,
    is_refused: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """The limit is the last length that passes."""
    assert fault(path=path, query=query) is (Reason.URL_TOO_LONG if is_refused else None)


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/users/me",
        b"/a.b/c..d/.well-known",
        b"/...",
        b"/users/",
        b"/a;v=1/b",
        b"/a:b@c!$&'()*+,=~",
        b"/a%20b",
        b"/caf%C3%A9",
        b"/a%7Eb",
        b"/100%25",
        b"/100%25zz",
        b"/a%3Ab%3Fc%23d",
        b"/%40me",
        b"/%60",
        b"*",
    ],
)
def test_a_path_that_can_be_read_in_one_way_passes(path: bytes) -> None:
    """Dots within names, parameters, and all that may need encoding."""
    assert fault(path=path) is None


@pytest.mark.parametrize(
    "path",
    [
        b"//",
        b"//evil.test",
        b"/a//b",
        b"/.",
        b"/..",
        b"/a/./b",
        b"/a/../b",
        b"/a/..;/b",
        b"/a/.;x/b",
        b"/a/..",
        b"/a\\b",
        b"/a%2fb",
        b"/a%2Fb",
        b"/a%5cb",
        b"/%2e%2e/b",
        b"/%2E/b",
        b"/.%2e/b",
        b"/a%00",
        b"/a%0d%0ab",
        b"/a%1Fb",
        b"/a%7f",
        b"/%61dmin",
        b"/%41",
        b"/%7A",
        b"/%5a",
        b"/%30",
        b"/a%2dc",
        b"/a%2Dc",
        b"/a%5fd",
        b"/%252e%252e/",
        b"/a%252fb",
        b"/a%25%32%65",
        b"/a%",
        b"/a%2",
        b"/a%zz",
        b"/a b",
        b"/a\tb",
        b"/a\x00b",
        b"/a\x80b",
        "/café".encode(),
        b"/a%c0%afb",
        b"/a%ff",
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_refused(path: bytes) -> None:
    """Whoever decodes or cleans it once more, or once less, would find another path."""
    assert fault(path=path) is Reason.PATH_AMBIGUOUS
