"""Completing answers: what every one carries, whoever gave it."""

from collections.abc import Awaitable, Iterable

import msgspec
from litestar.types import HTTPResponseStartEvent, HTTPScope, Message, Send

from edge.access.decision import Throttled
from edge.faults import UnavailableError
from edge.http.context import RequestContext, note_refusal
from edge.http.enforcement import is_authenticated
from edge.http.meter import Meter, meter_of
from edge.http.plain_answers import problem_answer, send_answer
from edge.http.rate_limits import RateLimits
from edge.http.request_head import CLOSE, is_http_1
from edge.http.security_headers import SecurityHeaders
from edge.telemetry.draining import Draining

Fields = list[tuple[bytes, bytes]]


class Completion:
    """Says what is added to an answer, from what is known when it starts."""

    def __init__(self, headers: SecurityHeaders, limits: RateLimits, draining: Draining) -> None:
        self._headers = headers
        self._draining = draining
        self.limits = limits

    def complete(
        self,
        own: Iterable[tuple[bytes, bytes]],
        scope: HTTPScope,
        context: RequestContext,
        meter: Meter | None,
    ) -> Fields:
        """Give the fields of an answer with these `own` ones: security, id, rate limits."""
        handler = scope.get("route_handler")  # there is none where there is no route
        fields = self._headers.complete(
            own,
            {} if handler is None else handler.opt,
            context.path,
            is_https=context.scheme == "https",
            is_authenticated=is_authenticated(scope),
        )
        fields.append((b"x-request-id", context.request_id.encode("ascii")))
        fields += self.limits.fields(meter)
        if self._draining.is_on and is_http_1(scope) and CLOSE not in fields:
            fields.append(CLOSE)
        return fields


class Reply:
    """The `send` of one request. `added` are fields that are known before it is answered.

    `status` is that of the answer, 0 before it has begun.

    A call gives what is to be awaited, and mostly that is what the server gave: a coroutine of its
    own for each message would cost as much as all the rest.
    """

    __slots__ = ("_added", "_completion", "_context", "_is_replaced", "_scope", "_send", "status")

    def __init__(
        self,
        completion: Completion,
        scope: HTTPScope,
        context: RequestContext,
        send: Send,
        added: Fields,
    ) -> None:
        self._completion = completion
        self._scope = scope
        self._context = context
        self._send = send
        self._added = added
        self._is_replaced = False
        self.status = 0

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            meter = meter_of(self._scope)
            if meter is None:
                meter = self._completion.limits.meter_for_stranger(self._scope)
                if meter is not None:
                    return self._charge_and_send(message, meter)
            self._complete(message, meter)
        elif self._is_replaced:
            return _nothing()
        return self._send(message)

    def _complete(self, message: HTTPResponseStartEvent, meter: Meter | None) -> None:
        own = message.get("headers", ())  # ASGI lets them be left out
        message["headers"] = self._fields(own, meter)

    def _fields(self, own: Iterable[tuple[bytes, bytes]], meter: Meter | None) -> Fields:
        fields = self._completion.complete(own, self._scope, self._context, meter)
        return [*fields, *self._added]

    async def _charge_and_send(self, message: HTTPResponseStartEvent, meter: Meter) -> None:
        throttled = await _charge(meter)
        if throttled is None:
            self._complete(message, meter)
            await self._send(message)
            return
        self._is_replaced = True
        self.status = 429
        note_refusal(self._scope, throttled.reason)
        answer = problem_answer(
            throttled.reason,
            429,
            request_id=self._context.request_id,
            policy=throttled.policy,
            retry_after_s=throttled.retry_after_s,
        )
        fields = self._fields(answer.fields, meter)
        await send_answer(self._send, msgspec.structs.replace(answer, fields=fields))


async def _charge(meter: Meter) -> Throttled | None:
    try:
        return meter.recall() or await meter.charge(None)
    except UnavailableError:  # the answer is there, and says nothing
        return None


async def _nothing() -> None:
    """Drop a message."""
