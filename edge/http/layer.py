"""The outermost ASGI layer: what must hold for every request and every answer, 404 and 500 too.

Litestar's middleware runs only for routes that exist; this wraps the app itself.
"""

import re
from typing import Any, Final, cast
from uuid import uuid4

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from edge.http.client_address import ClientAddress
from edge.http.context import CONTEXT_KEY, RequestContext
from edge.http.cors import Cors
from edge.http.problems import MEDIA_TYPE, problem
from edge.reasons import Reason

_log = structlog.stdlib.get_logger("edge.http")

# What a proxy may hand us to log: long enough for a UUID and a trace id, nothing to inject with.
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~-]{8,128}")


class OutermostLayer:
    """Gives each request an id and a client address, each answer the id and its CORS fields.

    Answers 500 where everything further in failed to answer.
    """

    def __init__(self, app: ASGIApp, *, client_address: ClientAddress, cors: Cors) -> None:
        self._app = app
        self._client_address = client_address
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = self._context(scope)
        cast("dict[str, Any]", scope)[CONTEXT_KEY] = context  # ASGI allows keys of one's own
        if scope["type"] == ScopeType.HTTP:
            await self._answer(scope, receive, send, context)
        else:
            await self._app(scope, receive, send)

    async def _answer(
        self, scope: HTTPScope, receive: Receive, send: Send, context: RequestContext
    ) -> None:
        extra = [
            (b"x-request-id", context.request_id.encode("ascii")),
            *self._cors.fields(scope["headers"]),
        ]
        has_started = False

        async def send_with_fields(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                message["headers"] = [
                    *message.get("headers", ()),
                    *extra,
                ]  # ASGI lets them be left out
            await send(message)

        if self._cors.is_preflight(scope["method"], scope["headers"]):
            await _send(send_with_fields, 204, self._cors.preflight_fields(scope["headers"]))
            return
        try:
            await self._app(scope, receive, send_with_fields)
        except Exception:
            _log.exception("nothing answered", request_id=context.request_id, path=scope["path"])
            if has_started:
                raise  # too late for another answer: let the server cut the connection
            await _send_internal_error(send_with_fields, context.request_id)

    def _context(self, scope: Scope) -> RequestContext:
        request_id: bytes | None = None
        forwarded_for: list[bytes] = []
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value
            elif name == b"x-forwarded-for":
                forwarded_for.append(value)
        peer = scope["client"][0] if scope["client"] else ""
        return RequestContext(
            request_id=_checked_request_id(request_id),
            client_address=self._client_address.find(peer, forwarded_for),
        )


def _checked_request_id(value: bytes | None) -> str:
    if value is not None and _REQUEST_ID.fullmatch(value):
        return value.decode("ascii")
    return uuid4().hex


async def _send_internal_error(send: Send, request_id: str) -> None:
    document = problem(Reason.INTERNAL_ERROR, 500, request_id=request_id)
    fields = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    await _send(send, 500, fields, msgspec.json.encode(document))


async def _send(
    send: Any,  # noqa: ANN401  # Litestar's message types are closed, a bare dict does not fit
    status: int,
    fields: list[tuple[bytes, bytes]],
    body: bytes = b"",
) -> None:
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]  # noqa: PLR2004
    await send({"type": "http.response.start", "status": status, "headers": [*fields, *length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
