"""A span for each request, around everything else that is done with it."""

from collections.abc import Awaitable
from typing import Any, Protocol, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from edge.http.forward.dialects import PREFIX, dialect_of
from edge.http.trace_context import SPAN_KEY, TRACEPARENT, read_traceparent


class Span(Protocol):
    """What is known of a request that is under way."""

    @property
    def traceparent(self) -> bytes:
        """How others name it as the span that theirs are part of."""
        ...

    def end(self, route: str, status: int) -> None:
        """Say how it ended: no route where it met none, the status 0 where nothing was answered."""
        ...


class Spans(Protocol):
    def begin(self, method: str, parent: str | None) -> Span: ...


class Tracing:
    """Makes a span of each request, which takes the place of the one that the request named."""

    def __init__(self, app: ASGIApp, spans: Spans) -> None:
        self._app = app
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        named = dict(scope["headers"]).get(TRACEPARENT)
        parent = None if named is None else read_traceparent(named)
        span = self._spans.begin(scope["method"], parent)
        cast("dict[str, Any]", scope)[SPAN_KEY] = span.traceparent
        status = 0

        def send_and_see(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        path = scope["path"]  # routing cuts it where it goes on into an app that is mounted
        try:
            await self._app(scope, receive, send_and_see)
        finally:
            span.end(_route(scope, path), status)


def _route(scope: HTTPScope, path: str) -> str:
    dialect = dialect_of(path) if path.startswith(PREFIX) else None
    return PREFIX + dialect if dialect else scope.get("path_template", "")
