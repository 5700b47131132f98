"""Deciding about a request by the access rule that covers it."""

from litestar.types import HTTPScope

from edge.access.access_rules import AccessRule, AccessRules
from edge.access.decision import Allow, Forbidden, Refusal, Throttled, Unavailable
from edge.access.decision_point import DecisionPoint
from edge.access.principal import Principal
from edge.faults import TooManyAttemptsError, UnavailableError
from edge.http.forward.dialects import Asked
from edge.http.forward.identity import NOBODY, Fields, Identity
from edge.http.rate_limits import Meter, RateLimits


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

    async def judge(
        self, rule: AccessRule, scope: HTTPScope, address: str
    ) -> tuple[Fields, Refusal | None]:
        """Say who is asking from this address, as header fields, and why they may not."""
        try:
            principal, refusal = await self._let_in(rule, scope, address)
            if principal is None:
                return NOBODY, refusal
            told = self._identity.recall(principal, rule.audience)
            if told is None:
                told = await self._identity.fields(principal, rule.audience)
        except TooManyAttemptsError as error:
            return NOBODY, Throttled(error.reason, error.retry_after_s, error.policy)
        except UnavailableError as error:
            return NOBODY, Unavailable(error.reason, error.retry_after_s)
        return (NOBODY, refusal or told) if isinstance(told, Forbidden) else (told, refusal)

    async def _let_in(
        self, rule: AccessRule, scope: HTTPScope, address: str
    ) -> tuple[Principal | None, Refusal | None]:
        """Find out who is asking, if anybody has to be, and charge them."""
        meter = self._limits.meter_for_rule(rule.name, rule.rate_policies, scope, address)
        # A shadow lets through whoever was too many, and tells the service who it is.
        throttled = None if rule.is_shadow else meter.recall()
        if throttled is not None:
            return None, throttled
        if rule.is_public:
            return None, await _charge(meter, None)
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        decision = self._decision_point.recall(values, rule.authentication)
        if decision is None:
            decision = await self._decision_point.decide(values, rule.authentication, address)
        if not isinstance(decision, Allow):
            return None, await _charge(meter, None) or decision
        principal = decision.principal
        return principal, await _charge(meter, principal) or rule.judge(principal)


async def _charge(meter: Meter, principal: Principal | None) -> Refusal | None:
    """Charge a request; that it cannot be counted makes nobody a stranger."""
    try:
        return await meter.charge(principal)
    except UnavailableError as error:
        return Unavailable(error.reason, error.retry_after_s)
