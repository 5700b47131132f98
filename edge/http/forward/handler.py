"""Answering load balancers that ask: may this request go on, and whose is it?

They ask for every request, so nothing of Litestar is between them and the decision.
"""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any, Final, TypeGuard, get_args

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from edge.access.access_rules import AccessRule
from edge.access.decision import Forbidden, Malformed, Refusal
from edge.http.arrival import TrustedProxies
from edge.http.context import RequestContext, context_of, enter, note_refusal, refusal_of
from edge.http.events import request_event
from edge.http.forward.dialects import (
    ONCE,
    PREFIX,
    Asked,
    Dialect,
    as_understood,
    dialect_of,
    read_asked,
)
from edge.http.forward.gate import Gate
from edge.http.forward.identity import is_claimed
from edge.http.forward.refusals import answer_to
from edge.http.plain_answers import Fields, PlainAnswer, problem_answer
from edge.http.request_head import CLOSE, is_http_1
from edge.http.security_headers import SERVER, SecurityHeaders
from edge.http.trace_context import TRACEPARENT
from edge.reasons import Reason
from edge.telemetry.counting import ALLOWED, UNMATCHED, RequestCounts
from edge.telemetry.draining import Draining
from edge.telemetry.events import ForwardDenied, Record

_log = structlog.stdlib.get_logger("edge.http")

# Looked up once: Python 3.11 calls a function for each look at a member of an enumeration.
_HTTP: Final = ScopeType.HTTP
_OK: Final = HTTPStatus.OK

_NO_STORE: Final = (b"cache-control", b"no-store")
_NO_RULE: Final = AccessRule(name="")
_UNKNOWN: Final = Asked("", "", "")
_SENT: Final = PREFIX.encode("ascii")
_ROUTES: Final[dict[Dialect | None, str]] = {
    None: UNMATCHED,
    **{dialect: PREFIX + dialect for dialect in get_args(Dialect)},
}


class ForwardAuth:
    """Answers what is asked below `/forward/`, and leaves everything else to the app.

    Only peers that `proxies` trusts may ask. `realm` is named in challenges. Refusals have security
    `headers`, for most balancers hand them on to the client.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        proxies: TrustedProxies,
        gate: Gate,
        realm: str,
        headers: SecurityHeaders,
        record: Record,
        draining: Draining,
        counts: RequestCounts,
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._gate = gate
        self._realm = realm
        self._headers = headers
        self._record = record
        self._draining = draining
        self._counts = counts

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # What is to be awaited for others is what the app gives: no coroutine of its own for them.
        if scope["path"].startswith(PREFIX) and _is_question(scope):
            return self._respond(scope, send)
        return self._app(scope, receive, send)

    async def _respond(self, scope: HTTPScope, send: Send) -> None:
        began_s = self._counts.clock()
        named = dict(scope["headers"])
        context = enter(scope, named, self._proxies)
        dialect = dialect_of(scope["path"])
        if dialect is None:
            answer = _problem(scope, Reason.NOT_FOUND, 404)
        else:
            answer = await self._answer(dialect, scope, named, context)
        took_s = self._counts.clock() - began_s
        decision = refusal_of(scope) or ALLOWED
        self._counts.answered(_ROUTES[dialect], answer.status, took_s, decision)
        fields = self._complete(answer, context)
        if self._draining.is_on and is_http_1(scope):
            fields.append(CLOSE)
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    def _complete(self, answer: PlainAnswer, context: RequestContext) -> Fields:
        fields = [
            *answer.fields,
            (b"x-request-id", context.request_id.encode("ascii")),
            (b"content-length", b"%d" % len(answer.body)),
        ]
        if context.traceparent:
            fields.append((TRACEPARENT, context.traceparent.encode("latin-1")))
        if answer.status == _OK:  # read by the balancer alone
            fields.append(SERVER)
            return fields
        is_https = context.scheme == "https"
        return self._headers.complete(
            fields, {}, context.path, is_https=is_https, is_authenticated=False
        )

    async def _answer(
        self,
        dialect: Dialect,
        scope: HTTPScope,
        named: dict[bytes, bytes],
        context: RequestContext,
    ) -> PlainAnswer:
        if not context.is_from_proxy:
            _log.warning("a stranger asked", client_address=context.client_address)
            return as_understood(dialect, _problem(scope, Reason.PEER_UNTRUSTED, 403))
        try:
            asked = _asked(dialect, scope, named)
            if isinstance(asked, Reason):
                return self._refuse(dialect, scope, Malformed(asked), _NO_RULE, _UNKNOWN)
            rule = self._gate.rule_for(asked)
            if rule is None:
                return self._refuse(dialect, scope, Forbidden(Reason.RULE_MISSING), _NO_RULE, asked)
            fields, refusal = await self._gate.judge(rule, scope, named, context.client_address)
            if refusal is not None:
                answer = self._refuse(dialect, scope, refusal, rule, asked)
                if not rule.is_shadow:
                    return answer
            return PlainAnswer(200, [_NO_STORE, *fields])
        except Exception:  # noqa: BLE001  # nothing further out would answer as the dialect wants
            _log.exception("nothing decided", **context.ids)
            return as_understood(dialect, _problem(scope, Reason.INTERNAL_ERROR, 500))

    def _refuse(
        self, dialect: Dialect, scope: HTTPScope, refusal: Refusal, rule: AccessRule, asked: Asked
    ) -> PlainAnswer:
        note_refusal(scope, refusal.reason, "shadow_refused" if rule.is_shadow else "refused")
        self._record(
            request_event(
                ForwardDenied,
                scope,
                reason=refusal.reason,
                rule=rule.name,
                method=asked.method,
                host=asked.host,
                path=asked.path,
                shadow="true" if rule.is_shadow else "false",
            )
        )
        request_id = context_of(scope).request_id
        answer = answer_to(refusal, rule.accepted, realm=self._realm, request_id=request_id)
        return as_understood(dialect, answer)


def _is_question(scope: Scope) -> TypeGuard[HTTPScope]:
    """Say whether what came to a path below `/forward/` is a request that was sent there.

    Load balancers keep clients from asking by the path as it is sent: `/%66orward/` is none.
    """
    return scope["type"] == _HTTP and scope.get("raw_path", _SENT).startswith(_SENT)


def _problem(scope: HTTPScope, reason: Reason, status: int) -> PlainAnswer:
    note_refusal(scope, reason)
    return problem_answer(reason, status, request_id=context_of(scope).request_id)


def _asked(dialect: Dialect, scope: HTTPScope, named: dict[bytes, bytes]) -> Asked | Reason:
    headers: Any = scope["headers"]
    if len(named) != len(headers):
        names = [name for name, _ in headers if name in ONCE]
        if len(names) != len(set(names)):
            return Reason.FIELD_REPEATED
    if is_claimed(named):
        return Reason.IDENTITY_FIELD_SENT
    return read_asked(dialect, scope, named)
