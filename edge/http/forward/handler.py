"""Answering load balancers that ask: may this request go on, and whose is it?

They ask for every request, so nothing of Litestar is between them and the decision.
"""

from typing import Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from edge.access.access_rules import AccessRule, AccessRules
from edge.access.decision import Allow, Forbidden, Malformed, Refusal, Throttled, Unavailable
from edge.access.decision_point import DecisionPoint
from edge.access.principal import Principal
from edge.faults import TooManyAttemptsError, UnavailableError
from edge.http.arrival import TrustedProxies
from edge.http.context import RequestContext, context_of, enter
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
from edge.http.forward.identity import NOBODY, Fields, Identity, is_claimed
from edge.http.forward.refusals import answer_to
from edge.http.plain_answers import PlainAnswer, problem_answer, send_answer
from edge.http.rate_limits import RateLimits
from edge.reasons import Reason
from edge.telemetry.events import ForwardDenied, Record

_log = structlog.stdlib.get_logger("edge.http")

_NO_STORE: Final = (b"cache-control", b"no-store")
_NO_RULE: Final = AccessRule(name="")
_UNKNOWN: Final = Asked("", "", "")


class ForwardAuth:
    """Answers what is asked below `/forward/`, and leaves everything else to the app.

    Only peers that `proxies` trusts may ask. `realm` is named in challenges.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        proxies: TrustedProxies,
        rules: AccessRules,
        decision_point: DecisionPoint,
        limits: RateLimits,
        identity: Identity,
        realm: str,
        record: Record,
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._rules = rules
        self._decision_point = decision_point
        self._limits = limits
        self._identity = identity
        self._realm = realm
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        named = dict(scope["headers"])
        context = enter(scope, named, self._proxies)
        answer = await self._answer(scope, named, context)
        fields = [*answer.fields, (b"x-request-id", context.request_id.encode("ascii"))]
        await send_answer(send, PlainAnswer(answer.status, fields, answer.body))

    async def _answer(
        self, scope: HTTPScope, named: dict[bytes, bytes], context: RequestContext
    ) -> PlainAnswer:
        dialect = dialect_of(scope["path"])
        if dialect is None:
            return problem_answer(Reason.NOT_FOUND, 404, request_id=context.request_id)
        if not self._proxies.trusts(scope):
            _log.warning("a stranger asked", client_address=context.client_address)
            return problem_answer(Reason.PEER_UNTRUSTED, 403, request_id=context.request_id)
        try:
            return await self._decide(dialect, scope, named)
        except Exception:  # noqa: BLE001  # nothing further out would answer as the dialect wants
            _log.exception("nothing decided", request_id=context.request_id)
            failed = problem_answer(Reason.INTERNAL_ERROR, 500, request_id=context.request_id)
            return as_understood(dialect, failed)

    async def _decide(
        self, dialect: Dialect, scope: HTTPScope, named: dict[bytes, bytes]
    ) -> PlainAnswer:
        asked = _asked(dialect, scope, named)
        if isinstance(asked, Reason):
            return self._refuse(dialect, scope, Malformed(asked), _NO_RULE, _UNKNOWN)
        rule = self._rules.find(asked.method, asked.host, asked.path)
        if rule is None:
            return self._refuse(dialect, scope, Forbidden(Reason.RULE_MISSING), _NO_RULE, asked)
        fields, refusal = await self._judge(rule, scope)
        if refusal is None:
            return PlainAnswer(200, [_NO_STORE, *fields])
        answer = self._refuse(dialect, scope, refusal, rule, asked)
        return PlainAnswer(200, [_NO_STORE, *fields]) if rule.is_shadow else answer

    async def _judge(self, rule: AccessRule, scope: HTTPScope) -> tuple[Fields, Refusal | None]:
        """Say who is asking, as header fields, and why they may not."""
        fields = NOBODY
        try:
            principal, refusal = await self._let_in(rule, scope)
            if principal is not None:
                told = await self._identity.fields(principal, rule.audience)
                if isinstance(told, Forbidden):
                    refusal = refusal or told
                else:
                    fields = told
        except TooManyAttemptsError as error:
            return fields, Throttled(error.reason, error.retry_after_s, error.policy)
        except UnavailableError as error:
            return fields, Unavailable(error.reason, error.retry_after_s)
        return fields, refusal

    async def _let_in(
        self, rule: AccessRule, scope: HTTPScope
    ) -> tuple[Principal | None, Refusal | None]:
        """Find out who is asking, if anybody has to be, and charge them."""
        meter = self._limits.meter_for_rule(rule.name, rule.rate_policies, scope)
        throttled = meter.recall()
        if throttled is not None:
            return None, throttled
        principal, refusal = await self._authenticate(rule, scope)
        throttled = await meter.charge(principal)
        if principal is not None and refusal is None:
            refusal = rule.judge(principal)
        return principal, throttled or refusal

    async def _authenticate(
        self, rule: AccessRule, scope: HTTPScope
    ) -> tuple[Principal | None, Refusal | None]:
        if rule.is_public:
            return None, None
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        address = context_of(scope).client_address
        decision = await self._decision_point.decide(values, rule.authentication, address)
        return (decision.principal, None) if isinstance(decision, Allow) else (None, decision)

    def _refuse(
        self, dialect: Dialect, scope: HTTPScope, refusal: Refusal, rule: AccessRule, asked: Asked
    ) -> PlainAnswer:
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


def _asked(dialect: Dialect, scope: HTTPScope, named: dict[bytes, bytes]) -> Asked | Reason:
    headers = list(scope["headers"])
    if len(named) != len(headers):
        names = [name for name, _ in headers if name in ONCE]
        if len(names) != len(set(names)):
            return Reason.FIELD_REPEATED
    if is_claimed(named):
        return Reason.IDENTITY_FIELD_SENT
    return read_asked(dialect, scope, named)
