"""Rate limits on requests: which policies a request meets, and charging it.

`@get("/reports", rate_policies=["reports"], rate_cost=5)` adds policies to a route, by name or as
`Policy` objects, and says what a request to it costs; `opt=UNLIMITED` takes it out.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, cast

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

# About 1 kB each; of what is longer, each is made anew.
_MOST_CALLERS: Final = 10_000
_LONGEST_REMEMBERED: Final = 256

# What is known of a request before anybody is asked who they are.
_KNOWN_EARLY: Final = frozenset({"address", "route", "global"})

_NONE: Final[Mapping[str, str]] = {}

Scope = Mapping[str, Any]
# The policies that are decided before it is known who is asking, those after, or both at once.
Which = Literal["early", "late", "all"]


class Meter:
    """The policies of one request, and what they said so far."""

    __slots__ = ("_address", "_admissions", "_applied", "_limiter", "_plan", "_scope")

    def __init__(self, limiter: Limiter, plan: "Plan", scope: Scope, address: str) -> None:
        self._limiter = limiter
        self._plan = plan
        self._scope = scope
        self._address = address
        self._applied: Sequence[Applied] = ()
        self._admissions: list[Admission] = []

    @property
    def standings(self) -> Collection[Standing]:
        """How the windows stand, each as it was told last."""
        if len(self._admissions) == 1:
            return self._admissions[0].standings
        told = [standing for one in self._admissions for standing in one.standings]
        return {standing.policy.name: standing for standing in told}.values()

    def recall(self) -> Throttled | None:
        """Give the refusal that is known without asking anybody."""
        if not self._limiter.has_refused:
            return None
        refused = self._limiter.recall(self._apply("early"))
        return None if refused is None else self._tell(refused)

    async def charge_early(self) -> Throttled | None:
        """Charge what does not depend on who is asking.

        Raises:
            UnavailableError: it cannot be counted, and a policy says to refuse then.
        """
        self._applied = self._apply("early")
        return self._tell(await self._limiter.acquire(self._applied))

    async def charge(self, principal: Principal | None) -> Throttled | None:
        """Charge everything that was not charged yet, in one go; raises as `charge_early`."""
        applied = self._apply("late" if self._applied else "all", principal)
        if not applied:
            return None
        self._applied = [*self._applied, *applied]
        return self._tell(await self._limiter.acquire(applied))

    def charges(self, principal: Principal) -> Sequence[Applied] | None:
        """Give what this principal is charged each time; None where it depends on the request."""
        return None if self._plan.reads_headers else self._apply("all", principal)

    async def spend(self, cost: int) -> Throttled | None:
        """Charge so much more on all windows of the request; raises as `charge_early`."""
        applied = [Applied(one.policy, one.charge.of(cost)) for one in self._applied]
        return self._tell(await self._limiter.acquire(applied))

    def _tell(self, admission: Admission) -> Throttled | None:
        self._admissions.append(admission)
        return _throttled_by(admission)

    def _apply(self, which: Which, principal: Principal | None = None) -> Sequence[Applied]:
        return self._plan.apply(which, self._scope, self._address, principal)


class Plan:
    """The policies that cover a route, by what has to be known for them."""

    __slots__ = ("_header_names", "_policies", "_remembered", "_route")

    def __init__(
        self, policies: Iterable[Policy], route: str, remembered: Callable[..., Sequence[Applied]]
    ) -> None:
        covering = tuple(policies)
        self._policies: Mapping[Which, Sequence[Policy]] = {
            "all": covering,
            "early": tuple(policy for policy in covering if _is_early(policy)),
            "late": tuple(policy for policy in covering if not _is_early(policy)),
        }
        self._route = route
        self._header_names = frozenset(
            part.removeprefix(HEADER).encode("ascii")
            for policy in covering
            for part in policy.partition
            if part.startswith(HEADER)
        )
        self._remembered = remembered

    @property
    def reads_headers(self) -> bool:
        """Whether it counts by header fields of the request."""
        return bool(self._header_names)

    def apply(
        self, which: Which, scope: Scope, address: str, principal: Principal | None
    ) -> Sequence[Applied]:
        """Give the charges of a request; see `edge.ratelimit.limiter.apply`."""
        if not self._policies[which]:
            return ()
        who = ("", None, frozenset[str]()) if principal is None else _who(principal)
        if self.reads_headers or len(who[0]) > _LONGEST_REMEMBERED:
            return self.charges(which, address, *who, self._headers_of(scope))
        return self._remembered(self, which, address, *who)

    def charges(
        self,
        which: Which,
        address: str,
        subject: str,
        client: str | None,
        roles: Collection[str],
        headers: Mapping[str, str] = _NONE,
    ) -> Sequence[Applied]:
        """Do so for a caller, of whom this is all that is counted by."""
        facts = Facts(
            address=address,
            route=self._route,
            principal=subject or None,
            client=client,
            headers=headers,
        )
        return apply(self._policies[which], facts, roles)

    def _headers_of(self, scope: Scope) -> Mapping[str, str]:
        """Give the header fields that are counted by; of a repeated one, all values together."""
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
        cast("dict[str, Any]", scope)[_METER_KEY] = meter
        return meter

    def meter_for_rule(
        self, rule: str, names: tuple[str, ...], scope: Scope, address: str
    ) -> Meter:
        """Give the meter of a request that an access rule is about, of the policies it names."""
        return Meter(self._limiter, self._plan_of_rule(rule, names), scope, address)

    async def charge(self, charges: Sequence[Applied]) -> Throttled | None:
        """Charge a request of which they are known; raises as `Meter.charge_early`."""
        return _throttled_by(await self._limiter.acquire(charges))

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


def meter_of(scope: Scope) -> Meter | None:
    """Give the meter of a request; None where it met no route."""
    meter = scope.get(_METER_KEY)
    return meter if isinstance(meter, Meter) else None


def _who(principal: Principal) -> tuple[str, str | None, frozenset[str]]:
    return principal.subject, principal.client_id, principal.roles


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


def _throttled_by(admission: Admission) -> Throttled | None:
    policy, wait_us = admission.refused_by, admission.retry_after_us
    if policy is None:
        return None
    retry_after_s = None if wait_us is None else whole_seconds(wait_us)
    return Throttled(Reason.RATE_LIMITED, retry_after_s, policy.name)
