"""The meter of one request: the policies it meets, what it was charged, and what they said."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from edge.access.decision import Throttled
from edge.access.principal import Principal
from edge.http.rate_fields import whole_seconds
from edge.ratelimit.limiter import Admission, Applied, Limiter, Standing, apply
from edge.ratelimit.partition import Facts
from edge.ratelimit.policy import HEADER, Policy
from edge.reasons import Reason

METER_KEY: Final = "edge_meter"

# Of what is longer, charges are made anew each time.
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
        return throttled_by(admission)

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


def meter_of(scope: Scope) -> Meter | None:
    """Give the meter of a request; None where it met no route."""
    meter = scope.get(METER_KEY)
    return meter if isinstance(meter, Meter) else None


def throttled_by(admission: Admission) -> Throttled | None:
    """Give the refusal that an admission is, if it is one."""
    policy, wait_us = admission.refused_by, admission.retry_after_us
    if policy is None:
        return None
    retry_after_s = None if wait_us is None else whole_seconds(wait_us)
    return Throttled(Reason.RATE_LIMITED, retry_after_s, policy.name)


def _who(principal: Principal) -> tuple[str, str | None, frozenset[str]]:
    return principal.subject, principal.client_id, principal.roles


def _is_early(policy: Policy) -> bool:
    """Say whether the policy is decided before it is known who is asking, and what they are."""
    return not policy.role_limits and all(
        part in _KNOWN_EARLY or part.startswith(HEADER) for part in policy.partition
    )
