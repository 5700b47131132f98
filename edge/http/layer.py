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

from edge.access.decision import Throttled
from edge.faults import UnavailableError
from edge.http.arrival import TrustedProxies
from edge.http.context import CONTEXT_KEY, RequestContext
from edge.http.cors import Cors
from edge.http.problems import MEDIA_TYPE, problem
from edge.http.rate_limits import Meter, RateLimits, meter_of
from edge.reasons import Reason

_log = structlog.stdlib.get_logger("edge.http")

# What a proxy may hand us to log: long enough for a UUID and a trace id, nothing to inject with.
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~-]{8,128}")


class OutermostLayer:
    """Gives each request an id and a client address, each answer the id and its CORS fields.

    Answers 500 where everything further in failed to answer.
    """

    def __init__(
        self, app: ASGIApp, *, proxies: TrustedProxies, cors: Cors, limits: RateLimits
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._cors = cors
        self._limits = limits

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
        has_started = is_replaced = False

        async def send_with_fields(message: Message) -> None:
            nonlocal has_started, is_replaced
            if is_replaced:
                return
            if message["type"] == "http.response.start":
                has_started = True
                meter, throttled = await self._metered(scope)
                added = [*extra, *self._limits.fields(meter)]
                if throttled is not None:
                    is_replaced = True
                    await _send_throttled(send, throttled, context.request_id, added)
                    return
                # ASGI lets them be left out
                message["headers"] = [*message.get("headers", ()), *added]
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

    async def _metered(self, scope: HTTPScope) -> tuple[Meter, Throttled | None]:
        """Give the meter of a request, and charge one that met no route and so no meter.

        Unknown paths, preflights and what else is answered on the way in would be free otherwise.
        """
        meter = meter_of(scope)
        if meter is not None:
            return meter, None
        meter = self._limits.meter_for_stranger(scope)
        try:
            return meter, meter.recall() or await meter.charge(None)
        except UnavailableError:  # the answer is there, and says nothing
            return meter, None

    def _context(self, scope: Scope) -> RequestContext:
        request_id: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value
        arrival = self._proxies.arrival_of(scope)
        return RequestContext(
            request_id=_checked_request_id(request_id),
            client_address=arrival.client_address,
            scheme=arrival.scheme,
            host=arrival.host,
        )


def _checked_request_id(value: bytes | None) -> str:
    if value is not None and _REQUEST_ID.fullmatch(value):
        return value.decode("ascii")
    return uuid4().hex


async def _send_internal_error(send: Send, request_id: str) -> None:
    document = problem(Reason.INTERNAL_ERROR, 500, request_id=request_id)
    fields = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    await _send(send, 500, fields, msgspec.json.encode(document))


async def _send_throttled(
    send: Send, throttled: Throttled, request_id: str, added: list[tuple[bytes, bytes]]
) -> None:
    wait_s = throttled.retry_after_s
    document = problem(
        throttled.reason,
        429,
        request_id=request_id,
        policy=throttled.policy,
        retry_after_s=wait_s,
    )
    fields = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store"), *added]
    if wait_s is not None:
        fields.append((b"retry-after", b"%d" % wait_s))
    await _send(send, 429, fields, msgspec.json.encode(document))


async def _send(
    send: Any,  # noqa: ANN401  # Litestar's message types are closed, a bare dict does not fit
    status: int,
    fields: list[tuple[bytes, bytes]],
    body: bytes = b"",
) -> None:
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]  # noqa: PLR2004
    await send({"type": "http.response.start", "status": status, "headers": [*fields, *length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
