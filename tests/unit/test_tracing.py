"""A span for each request, of which everything further in is part."""

from typing import Any, cast

import msgspec
import pytest
from litestar.types import Receive, Scope, Send

from edge.http.arrival import TrustedProxies
from edge.http.context import context_of, enter
from edge.http.tracing import Tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"
THEIRS = f"00-{TRACE}-b7ad6b7169203331-01"
OURS = f"00-{TRACE}-00f067aa0ba902b7-01"


class FakeSpan(msgspec.Struct):
    method: str
    parent: str | None
    traceparent: bytes = OURS.encode()
    ended: tuple[str, int] | None = None

    def end(self, route: str, status: int) -> None:
        assert self.ended is None
        self.ended = route, status


class FakeSpans:
    def __init__(self) -> None:
        self.made: list[FakeSpan] = []

    def begin(self, method: str, parent: str | None) -> FakeSpan:
        self.made.append(FakeSpan(method, parent))
        return self.made[-1]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Enter as the layer does, and answer, unless it is to fail."""
    enter(scope, dict(scope["headers"]), TrustedProxies([], []))
    if scope["path"] == "/fails":
        raise RuntimeError
    if scope["path"] == "/known/7":
        cast("dict[str, Any]", scope)["path_template"] = "/known/{id}"
    start: Any = {"type": "http.response.start", "status": 201, "headers": []}
    await send(start)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def trace(path: str, *headers: tuple[bytes, bytes], kind: str = "http") -> Any:  # noqa: ANN401  # a span and a scope
    spans = FakeSpans()
    scope = {"type": kind, "method": "GET", "path": path, "headers": list(headers), "client": None}
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    try:
        await Tracing(app, spans)(cast("Scope", scope), cast("Any", None), cast("Any", send))
    except RuntimeError:
        assert path == "/fails"
    return spans.made, scope


@pytest.mark.parametrize(
    ("path", "ended"),
    [
        ("/known/7", ("/known/{id}", 201)),
        ("/nowhere", ("", 201)),
        ("/forward/envoy/orders/7", ("/forward/envoy", 201)),
        ("/forward/unheard-of", ("", 201)),
        ("/fails", ("", 0)),
    ],
)
async def test_a_span_ends_with_route_and_status(path: str, ended: tuple[str, int]) -> None:
    """Once, whatever happens; paths that are not there name nothing."""
    (span,), _ = await trace(path)
    assert span.ended == ended


@pytest.mark.parametrize(
    ("given", "parent"),
    [(THEIRS, THEIRS), ("rubbish", None), (f"00-{'0' * 32}-{'1' * 16}-01", None)],
)
async def test_the_span_is_part_of_the_trace_that_came(given: str, parent: str | None) -> None:
    """Where that is valid. Further in, the request is part of our span."""
    (span,), scope = await trace("/known/7", (b"traceparent", given.encode()))
    assert (span.method, span.parent) == ("GET", parent)
    assert context_of(scope).traceparent == OURS
    assert context_of(scope).trace_id == TRACE


async def test_other_scopes_have_no_span() -> None:
    """They go through as they are."""
    spans, scope = await trace("/known/7", kind="websocket")
    assert spans == []
    assert context_of(scope).traceparent is None
