"""Deciding about a request by the access rule that covers it."""

from collections.abc import Mapping
from typing import Any, Final

from litestar.types import HTTPScope

from edge.access.access_rules import AccessRule, AccessRules
from edge.access.decision import Allow, Decision, Forbidden, Refusal, Throttled, Unavailable
from edge.access.decision_point import DecisionPoint
from edge.access.principal import Principal
from edge.faults import TooManyAttemptsError, UnavailableError
from edge.http.forward.callers import Caller, Callers
from edge.http.forward.dialects import Asked
from edge.http.forward.identity import NOBODY, USER, Fields, Identity
from edge.http.meter import Meter, throttled_by
from edge.http.rate_limits import RateLimits

_AUTHORIZATION: Final = b"authorization"


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
        self._callers = Callers()

    def rule_for(self, asked: Asked) -> AccessRule | None:
        """Give the rule that covers a request; None where nobody may."""
        return self._rules.find(asked.method, asked.host, asked.path)

    async def judge(
        self, rule: AccessRule, scope: HTTPScope, named: Mapping[bytes, bytes], address: str
    ) -> tuple[Fields, Refusal | None]:
        """Say who is asking from this address, as header fields, and why they may not.

        `named` holds the last field of each name.
        """
        try:
            decision = self._recall(rule, scope, named)
            if isinstance(decision, Allow):
                caller = self._callers.recall(decision.principal, rule, address)
                if caller is not None:
                    admission = await self._limits.acquire(caller.charges)
                    return caller.fields, throttled_by(admission) or caller.refusal
            return await self._look(rule, decision, scope, address)
        except TooManyAttemptsError as error:
            return NOBODY, Throttled(error.reason, error.retry_after_s, error.policy)
        except UnavailableError as error:
            return NOBODY, Unavailable(error.reason, error.retry_after_s)

    def _recall(
        self, rule: AccessRule, scope: HTTPScope, named: Mapping[bytes, bytes]
    ) -> Decision | None:
        """Say who is asking, where their token was seen before and still holds."""
        headers: Any = scope["headers"]
        value = named.get(_AUTHORIZATION)
        if value is None or rule.is_public or len(named) != len(headers):
            return None
        return self._decision_point.recall([value], rule.authentication)

    async def _look(
        self, rule: AccessRule, decision: Decision | None, scope: HTTPScope, address: str
    ) -> tuple[Fields, Refusal | None]:
        meter = self._limits.meter_for_rule(rule.name, rule.rate_policies, scope, address)
        principal, refusal = await self._let_in(rule, decision, meter, scope, address)
        if principal is None:
            return NOBODY, refusal
        told = await self._identity.fields(principal, rule.audience)
        if isinstance(told, Forbidden):
            return NOBODY, refusal or told
        self._remember(rule, meter, address, principal, told)
        return told, refusal

    async def _let_in(
        self,
        rule: AccessRule,
        decision: Decision | None,
        meter: Meter,
        scope: HTTPScope,
        address: str,
    ) -> tuple[Principal | None, Refusal | None]:
        """Find out who is asking, if anybody has to be, and charge them."""
        # A shadow lets through whoever was too many, and tells the service who it is.
        throttled = None if rule.is_shadow else meter.recall()
        if throttled is not None:
            return None, throttled
        if rule.is_public:
            return None, await _charge(meter, None)
        if decision is None:
            values = [value for name, value in scope["headers"] if name == _AUTHORIZATION]
            decision = await self._decision_point.decide(values, rule.authentication, address)
        if not isinstance(decision, Allow):
            return None, await _charge(meter, None) or decision
        principal = decision.principal
        return principal, await _charge(meter, principal) or rule.judge(principal)

    def _remember(
        self, rule: AccessRule, meter: Meter, address: str, principal: Principal, told: Fields
    ) -> None:
        """Keep what will hold for this token each time; of others, principals are made anew."""
        is_named = principal.user_id is None or (USER, b"") not in told
        # A shadow tells who it is also where they cannot be charged, which takes another look.
        if rule.is_shadow or rule.audience or principal.method != "bearer" or not is_named:
            return
        charges = meter.charges(principal)
        if charges is not None:
            caller = Caller(principal, charges, rule.judge(principal), told)
            self._callers.remember(caller, rule, address)


async def _charge(meter: Meter, principal: Principal | None) -> Refusal | None:
    """Charge a request; that it cannot be counted makes nobody a stranger."""
    try:
        return await meter.charge(principal)
    except UnavailableError as error:
        return Unavailable(error.reason, error.retry_after_s)
