"""The outermost ASGI layer: what must hold for every request and every answer, 404 and 500 too.

Litestar's middleware runs only for routes that exist; this wraps the app itself.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from edge.http.arrival import TrustedProxies
from edge.http.body_stream import BodyStream, StreamLimits, may_have_body
from edge.http.context import RequestContext, enter, note_refusal, refusal_of
from edge.http.cors import Cors, CorsRule, is_preflight
from edge.http.enforcement import is_authenticated
from edge.http.plain_answers import PlainAnswer, problem_answer, send_answer
from edge.http.reply import Completion, Reply
from edge.http.request_head import CLOSE, HeadLimits, fault_of, is_http_1
from edge.reasons import Reason
from edge.telemetry.counting import ALLOWED, UNMATCHED, RequestCounts

_log = structlog.stdlib.get_logger("edge.http")

_HTTP: Final = ScopeType.HTTP  # looked up once: it takes a call in Python 3.11
_STATUS_OF_FAULT: Final = {Reason.TOO_MANY_FIELDS: 431, Reason.URL_TOO_LONG: 414}

_Named = Mapping[bytes, bytes]


class ContextLayer:
    """Gives each request an id and a client address, and leaves answers alone."""

    def __init__(self, app: ASGIApp, proxies: TrustedProxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        enter(scope, dict(scope["headers"]), self._proxies)
        await self._app(scope, receive, send)


class OutermostLayer:
    """Refuses what no request may be, and completes what the app answers.

    Each request gets an id and a client address; each answer the id, security headers, what CORS
    and the rate limits say. Answers 500 where everything further in failed to answer. Counts them
    all.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        proxies: TrustedProxies,
        head_limits: HeadLimits,
        stream_limits: StreamLimits,
        cors: Cors,
        completion: Completion,
        counts: RequestCounts,
    ) -> None:
        self._app = app
        self._counts = counts
        self._proxies = proxies
        self._head_limits = head_limits
        self._stream_limits = stream_limits
        self._cors = cors
        self._completion = completion

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s = self._counts.clock()
        named = dict(scope["headers"])
        context = enter(scope, named, self._proxies)
        fault = fault_of(scope, named, self._head_limits)
        if scope["type"] != _HTTP:
            await (self._app(scope, receive, send) if fault is None else _close_websocket(send))
            return
        rule = self._cors.rule_for(context.path)
        of_cors = rule.fields(named.get(b"origin")) if rule else []
        reply = Reply(self._completion, scope, context, send, of_cors)
        try:
            early = _early_answer(scope, named, context, fault, rule)
            if early is not None:
                await send_answer(reply, early)
                return
            if may_have_body(scope, named):
                receive = BodyStream(receive, scope, named, self._stream_limits)
            await self._app(scope, receive, reply)
        except Exception:
            _log.exception("nothing answered", path=scope["path"], **context.ids)
            if reply.status:
                raise  # too late for another answer: let the server cut the connection
            note_refusal(scope, Reason.INTERNAL_ERROR)
            failed = problem_answer(Reason.INTERNAL_ERROR, 500, request_id=context.request_id)
            await send_answer(reply, failed)
        finally:
            self._count(scope, reply.status, self._counts.clock() - began_s)

    def _count(self, scope: HTTPScope, status: int, seconds: float) -> None:
        decision = refusal_of(scope) or (ALLOWED if is_authenticated(scope) else None)
        self._counts.answered(scope.get("path_template", UNMATCHED), status, seconds, decision)


def _early_answer(
    scope: HTTPScope,
    named: _Named,
    context: RequestContext,
    fault: Reason | None,
    rule: CorsRule | None,
) -> PlainAnswer | None:
    """Give the answer to a request that goes no further: no request at all, or a preflight."""
    if fault is not None:
        note_refusal(scope, fault)
        status = _STATUS_OF_FAULT.get(fault, 400)
        answer = problem_answer(fault, status, request_id=context.request_id)
        # What follows on the connection may belong to the request that was not understood.
        close = [CLOSE] if is_http_1(scope) else []
        return msgspec.structs.replace(answer, fields=[*answer.fields, *close])
    if not is_preflight(scope["method"], named):
        return None
    if rule is None or not rule.allows(named[b"origin"]):
        note_refusal(scope, Reason.ORIGIN_REFUSED)
        return problem_answer(Reason.ORIGIN_REFUSED, 403, request_id=context.request_id)
    return PlainAnswer(204, rule.preflight_fields())


async def _close_websocket(send: Any) -> None:  # noqa: ANN401  # Litestar's types of messages are closed
    """Refuse before it is accepted, which servers answer 403."""
    await send({"type": "websocket.close", "code": 1008, "reason": ""})
