"""Deciding about a request by the access rule that covers it."""

from litestar.types import HTTPScope

from edge.access.access_rules import AccessRule, AccessRules
from edge.access.decision import Allow, Forbidden, Refusal, Throttled, Unavailable
from edge.access.decision_point import DecisionPoint
from edge.access.principal import Principal
from edge.faults import TooManyAttemptsError, UnavailableError
from edge.http.context import context_of
from edge.http.forward.dialects import Asked
from edge.http.forward.identity import NOBODY, Fields, Identity
from edge.http.rate_limits import RateLimits


class Gate:
    """Finds the rule for a request, who is asking, and whether they may."""

    def __init__(
        self,
        rules: AccessRules,
        decision_point: DecisionPoint,
        limits: RateLimits,
        identity: Identity,
    ) -> None:
        self._rules = rules
        self._decision_point = decision_point
        self._limits = limits
        self._identity = identity

    def rule_for(self, asked: Asked) -> AccessRule | None:
        """Give the rule that covers a request; None where nobody may."""
        return self._rules.find(asked.method, asked.host, asked.path)

    async def judge(self, rule: AccessRule, scope: HTTPScope) -> tuple[Fields, Refusal | None]:
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
