"""Rate limits on requests: which policies a request meets, and charging it.

`@get("/reports", rate_policies=["reports"], rate_cost=5)` adds policies to a route, by name or as
`Policy` objects, and says what a request to it costs; `opt=UNLIMITED` takes it out.
"""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from edge.globs import matches_any
from edge.http.context import context_of
from edge.http.meter import METER_KEY, Meter, Plan, Scope
from edge.http.rate_fields import Fields, rate_fields
from edge.ratelimit.limiter import Admission, Applied, Limiter
from edge.ratelimit.policy import Policy

_UNLIMITED: Final = "edge_unlimited"
_POLICIES: Final = "rate_policies"
_COST: Final = "rate_cost"

# Routes are few; paths are only looked at where a policy names some.
_MOST_PLANS: Final = 4096

# For probes, which must not be refused because of whom they share an address with.
UNLIMITED: Final[Mapping[str, Any]] = {_UNLIMITED: True}

# About 1 kB each.
_MOST_CALLERS: Final = 10_000


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
        # Callers come back, and are charged on the same windows then.
        self._remembered = lru_cache(_MOST_CALLERS)(Plan.charges)
        self._nothing = self._new_plan([], "")
        self._plan = lru_cache(_MOST_PLANS)(self._make_plan)
        self._plan_of_rule = lru_cache(_MOST_PLANS)(self._make_plan_of_rule)
        self._plan_without_route = lru_cache(_MOST_PLANS)(self._make_plan_without_route)

    def unknown_names(self, opt: Mapping[str, Any]) -> list[str]:
        """Give the names in a route's `rate_policies` that no policy has."""
        named = [one for one in opt.get(_POLICIES, ()) if isinstance(one, str)]
        return [name for name in named if name not in self._named]

    def meter_for_stranger(self, scope: Scope) -> Meter | None:
        """Give a meter for a request that met no route; None where no policy covers such.

        Unknown paths, preflights and what else is answered on the way in would be free otherwise.
        """
        context = context_of(scope)
        path = context.path if self._has_paths else ""
        plan = self._plan_without_route(scope.get("method", ""), path)
        if plan is self._nothing:
            return None
        return Meter(self._limiter, plan, scope, context.client_address)

    def meter_for_route(self, scope: Scope) -> Meter:
        """Give the meter of a request whose route is known; it is found again by `meter_of`."""
        context = context_of(scope)
        path = context.path if self._has_paths else ""
        template = scope.get("path_template", "")
        plan = self._plan(scope["route_handler"], scope.get("method", ""), template, path)
        meter = Meter(self._limiter, plan, scope, context.client_address)
        cast("dict[str, Any]", scope)[METER_KEY] = meter
        return meter

    def meter_for_rule(
        self, rule: str, names: tuple[str, ...], scope: Scope, address: str
    ) -> Meter:
        """Give the meter of a request that an access rule is about, of the policies it names."""
        return Meter(self._limiter, self._plan_of_rule(rule, names), scope, address)

    def acquire(self, charges: Sequence[Applied]) -> Awaitable[Admission]:
        """Charge a request of which they are known; raises as `Meter.charge_early`."""
        return self._limiter.acquire(charges)

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

    def _make_plan_of_rule(self, rule: str, names: tuple[str, ...]) -> Plan:
        if not (self._is_on and names):
            return self._nothing
        return self._new_plan([self._named[name] for name in names], f"rule {rule}")

    def _make_plan_without_route(self, method: str, path: str) -> Plan:
        policies = self.covering(method, "", path)
        return self._new_plan(policies, "") if policies else self._nothing

    def _make_plan(self, handler: Any, method: str, template: str, path: str) -> Plan:  # noqa: ANN401  # any of Litestar's
        policies = self.met(handler.opt, method, template, path)
        return self._new_plan(policies, template) if policies else self._nothing

    def _new_plan(self, policies: Iterable[Policy], route: str) -> Plan:
        return Plan(policies, route, self._remembered)


def _covers(policy: Policy, method: str, template: str, path: str) -> bool:
    if policy.methods and method not in policy.methods:
        return False
    if not policy.routes and not policy.paths:
        return True
    return template in policy.routes or matches_any(path, policy.paths)
