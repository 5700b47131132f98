"""Rate limits on requests: which policies a request meets, and charging it.

`@get("/reports", rate_policies=["reports"], rate_cost=5)` adds policies to a route, by name or as
`Policy` objects, and says what a request to it costs; `opt=UNLIMITED` takes it out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from edge.access.decision import Throttled
from edge.access.principal import Principal
from edge.globs import matches_any
from edge.http.context import context_of
from edge.http.rate_fields import Fields, rate_fields, whole_seconds
from edge.ratelimit.limiter import Admission, Applied, Limiter, Standing, apply
from edge.ratelimit.partition import Facts
from edge.ratelimit.policy import HEADER, Policy
from edge.reasons import Reason

_UNLIMITED: Final = "edge_unlimited"
_POLICIES: Final = "rate_policies"
_COST: Final = "rate_cost"
_METER_KEY: Final = "edge_meter"

# Routes are few; paths are only looked at where a policy names some.
_MOST_PLANS: Final = 4096

# For probes, which must not be refused because of whom they share an address with.
UNLIMITED: Final[Mapping[str, Any]] = {_UNLIMITED: True}

# What is known of a request before anybody is asked who they are.
_KNOWN_EARLY: Final = frozenset({"address", "route", "global"})

Scope = Mapping[str, Any]


class Meter:
    """The policies of one request, and what they said so far."""

    __slots__ = ("_applied", "_limiter", "_plan", "_route", "_scope", "_standings")

    def __init__(self, limiter: Limiter, plan: "Plan", scope: Scope, route: str = "") -> None:
        self._limiter = limiter
        self._plan = plan
        self._scope = scope
        self._route = route or scope.get("path_template", "")
        self._applied: list[Applied] = []
        self._standings: dict[str, Standing] = {}

    @property
    def standings(self) -> Collection[Standing]:
        """How the windows stand, each as it was told last."""
        return self._standings.values()

    def recall(self) -> Throttled | None:
        """Give the refusal that is known without asking anybody."""
        refused = self._limiter.recall(apply(self._plan.early, self._facts(None)))
        if refused is None:
            return None
        self._tell(refused)
        return _throttled(refused.refused_by, refused.retry_after_us)

    async def charge_early(self) -> Throttled | None:
        """Charge what does not depend on who is asking.

        Raises:
            UnavailableError: it cannot be counted, and a policy says to refuse then.
        """
        self._applied += apply(self._plan.early, self._facts(None))
        return await self._charge(self._applied)

    async def charge(self, principal: Principal | None) -> Throttled | None:
        """Charge everything that was not charged yet, in one go; raises as `charge_early`."""
        policies = self._plan.late if self._applied else (*self._plan.early, *self._plan.late)
        roles = principal.roles if principal else ()
        applied = apply(policies, self._facts(principal), roles)
        self._applied += applied
        return await self._charge(applied)

    async def spend(self, cost: int) -> Throttled | None:
        """Charge so much more on all windows of the request; raises as `charge_early`."""
        return await self._charge(
            [Applied(one.policy, one.charge.of(cost)) for one in self._applied]
        )

    async def _charge(self, applied: Sequence[Applied]) -> Throttled | None:
        admission = await self._limiter.acquire(applied)
        self._tell(admission)
        if admission.refused_by is None:
            return None
        return _throttled(admission.refused_by, admission.retry_after_us)

    def _tell(self, admission: Admission) -> None:
        for standing in admission.standings:
            self._standings[standing.policy.name] = standing

    def _facts(self, principal: Principal | None) -> Facts:
        return Facts(
            address=context_of(self._scope).client_address,
            route=self._route,
            principal=principal.subject if principal else None,
            client=principal.client_id if principal else None,
            headers=self._plan.headers_of(self._scope),
        )


class Plan:
    """The policies that cover a route, by what has to be known for them."""

    __slots__ = ("_header_names", "early", "late")

    def __init__(self, policies: Iterable[Policy]) -> None:
        covering = list(policies)
        self.early = tuple(policy for policy in covering if _is_early(policy))
        self.late = tuple(policy for policy in covering if not _is_early(policy))
        self._header_names = frozenset(
            part.removeprefix(HEADER).encode("ascii")
            for policy in covering
            for part in policy.partition
            if part.startswith(HEADER)
        )

    def headers_of(self, scope: Scope) -> Mapping[str, str]:
        """Give the header fields that are counted by; of a repeated one, all values together."""
        if not self._header_names:
            return {}
        found: dict[str, str] = {}
        for name, value in scope["headers"]:
            if name in self._header_names:
                known = found.get(name.decode("ascii"))
                text = value.decode("latin-1")
                found[name.decode("ascii")] = text if known is None else f"{known}, {text}"
        return found


class RateLimits:
    """Gives each request its meter. `policies` are those in force; `legacy` adds older fields.

    Where it is not on, no request is limited, whatever its route declares.
    """

    def __init__(
        self,
        limiter: Limiter,
        policies: Iterable[Policy],
        *,
        legacy: bool,
        is_on: bool = True,
    ) -> None:
        self._limiter = limiter
        self._legacy = legacy
        self._is_on = is_on
        self._named = {policy.name: policy for policy in policies}
        on_requests = [policy for policy in self._named.values() if policy.counts == "requests"]
        self._on_requests = on_requests if is_on else []
        self._has_paths = any(policy.paths for policy in self._on_requests)
        self._nothing = Plan(())
        self._plan = lru_cache(_MOST_PLANS)(self._make_plan)
        self._plan_of_names = lru_cache(_MOST_PLANS)(self._make_plan_of_names)
        self._plan_without_route = lru_cache(_MOST_PLANS)(self._make_plan_without_route)

    def unknown_names(self, opt: Mapping[str, Any]) -> list[str]:
        """Give the names in a route's `rate_policies` that no policy has."""
        named = [one for one in opt.get(_POLICIES, ()) if isinstance(one, str)]
        return [name for name in named if name not in self._named]

    def meter_for_stranger(self, scope: Scope) -> Meter | None:
        """Give a meter for a request that met no route; None where no policy covers such.

        Unknown paths, preflights and what else is answered on the way in would be free otherwise.
        """
        path = context_of(scope).path if self._has_paths else ""
        plan = self._plan_without_route(scope.get("method", ""), path)
        return None if plan is self._nothing else Meter(self._limiter, plan, scope)

    def meter_for_route(self, scope: Scope) -> Meter:
        """Give the meter of a request whose route is known; it is found again by `meter_of`."""
        handler = scope["route_handler"]
        path = context_of(scope).path if self._has_paths else ""
        template = scope.get("path_template", "")
        plan = self._plan(handler, scope.get("method", ""), template, path)
        meter = Meter(self._limiter, plan, scope)
        cast("dict[str, Any]", scope)[_METER_KEY] = meter
        return meter

    def meter_for_rule(self, rule: str, names: tuple[str, ...], scope: Scope) -> Meter:
        """Give the meter of a request that an access rule is about, of the policies it names."""
        return Meter(self._limiter, self._plan_of_names(names), scope, route=f"rule {rule}")

    def fields(self, meter: Meter | None) -> Fields:
        """Give what the answer says of the limits."""
        return rate_fields(meter.standings, legacy=self._legacy) if meter else []

    def covering(self, method: str, template: str, path: str) -> list[Policy]:
        """Give the policies on requests that cover a route, without those of the route itself."""
        return [policy for policy in self._on_requests if _covers(policy, method, template, path)]

    def met(self, opt: Mapping[str, Any], method: str, template: str, path: str) -> list[Policy]:
        """Give the policies that a request to a route with this `opt` meets."""
        if opt.get(_UNLIMITED) or not self._is_on:
            return []
        # One of a name: two would charge one window twice. Settings replace what a route brings.
        met = {policy.name: policy for policy in self.covering(method, template, path)}
        for one in opt.get(_POLICIES, ()):
            name = one if isinstance(one, str) else one.name
            met[name] = self._named[name] if isinstance(one, str) else self._named.get(name, one)
        cost = opt.get(_COST)
        return [policy if cost is None else policy.costing(cost) for policy in met.values()]

    def _make_plan_of_names(self, names: tuple[str, ...]) -> Plan:
        return (
            Plan([self._named[name] for name in names]) if self._is_on and names else self._nothing
        )

    def _make_plan_without_route(self, method: str, path: str) -> Plan:
        policies = self.covering(method, "", path)
        return Plan(policies) if policies else self._nothing

    def _make_plan(self, handler: Any, method: str, template: str, path: str) -> Plan:  # noqa: ANN401  # any of Litestar's
        policies = self.met(handler.opt, method, template, path)
        return Plan(policies) if policies else self._nothing


def meter_of(scope: Scope) -> Meter | None:
    """Give the meter of a request; None where it met no route."""
    meter = scope.get(_METER_KEY)
    return meter if isinstance(meter, Meter) else None


def _covers(policy: Policy, method: str, template: str, path: str) -> bool:
    if policy.methods and method not in policy.methods:
        return False
    if not policy.routes and not policy.paths:
        return True
    return template in policy.routes or matches_any(path, policy.paths)


def _is_early(policy: Policy) -> bool:
    """Say whether the policy is decided before it is known who is asking, and what they are."""
    return not policy.role_limits and all(
        part in _KNOWN_EARLY or part.startswith(HEADER) for part in policy.partition
    )


def _throttled(policy: Policy | None, wait_us: int | None) -> Throttled:
    return Throttled(
        Reason.RATE_LIMITED,
        None if wait_us is None else whole_seconds(wait_us),
        policy.name if policy else "",
    )
