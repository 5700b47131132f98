"""The limiter: from policies and facts to an admission, also while the windows are away."""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from math import inf
from operator import attrgetter
from typing import Final, Protocol

import msgspec

from edge.faults import UnavailableError
from edge.ratelimit.charge import Charge, Charged, Outcome, Verdict
from edge.ratelimit.memory import MemoryWindows
from edge.ratelimit.partition import Facts, window_key
from edge.ratelimit.policy import Policy
from edge.ratelimit.ports import Windows
from edge.reasons import Reason

# Longer, and a window that has become free would be refused for too long: an entry is never taken
# back, since whoever changes a limit or a cost asks under another name.
_REMEMBERED_S: Final = 1.0
_MOST_REMEMBERED: Final = 10_000
_MICROSECONDS: Final = 1_000_000


class Applied(msgspec.Struct, frozen=True, gc=False):
    """A policy with the charge that it makes of a request."""

    policy: Policy
    charge: Charge


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How the window of a policy stands after a decision."""

    policy: Policy
    limit: int
    verdict: Verdict


class Admission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whether a request may go on; `refused_by` is the policy that says no.

    `retry_after_us` is when it would fit, None where it never will. `outcome` is what was said to
    `applied`. What was charged can be given back with `Limiter.give_back`.
    """

    refused_by: Policy | None = None
    retry_after_us: int | None = 0
    applied: Sequence[Applied] = ()
    outcome: Outcome = Outcome(is_admitted=True, verdicts=(), times_us=())
    is_local: bool = False

    # Both are made when they are asked for: most requests need one of them or none.

    @property
    def standings(self) -> list[Standing]:
        """How the windows stand that were decided."""
        return [
            Standing(one.policy, one.charge.quota.limit, verdict)
            for one, verdict in zip(self.applied, self.outcome.verdicts, strict=False)
        ]

    @property
    def charged(self) -> list[Charged]:
        """What the request was charged."""
        if not self.outcome.is_admitted:
            return []
        outcome = self.outcome
        decided = zip(self.applied, outcome.verdicts, outcome.times_us, strict=True)
        return [Charged(one.charge, at_us) for one, verdict, at_us in decided if verdict.fits]


ADMITTED: Final = Admission()

_charge_of: Final[Callable[[Applied], Charge]] = attrgetter("charge")


_Name = tuple[bytes, int, int]


class _Refused(msgspec.Struct, frozen=True, gc=False):
    """Until when a refusal is remembered, when the cost will fit, and all is free again.

    All by the limiter's clock.
    """

    until_s: float
    fits_at_s: float
    remaining: int
    reset_at_s: float

    def verdict(self, now_s: float) -> Verdict:
        wait_s = self.fits_at_s - now_s
        return Verdict(
            self.remaining,
            max(round((self.reset_at_s - now_s) * _MICROSECONDS), 0),
            None if wait_s == inf else max(round(wait_s * _MICROSECONDS), 1),
        )


class LimiterWatcher(Protocol):
    """Counts what the limiter decides."""

    def decided(
        self, policy: Policy, limit: int, verdict: Verdict, *, is_admitted: bool
    ) -> None: ...

    def remembered(self, policy: Policy) -> None: ...

    def without_windows(self, policy: Policy) -> None: ...


def apply(policies: Sequence[Policy], facts: Facts, roles: Collection[str] = ()) -> list[Applied]:
    """Give the charges of a request by these policies; those of which a part is unknown do none.

    Shadows come last, as `Windows.decide` wants them.
    """
    applied: list[Applied] = []
    shadows: list[Applied] = []
    for policy in policies:
        key = window_key(policy, facts)
        if key is not None:
            charge = Charge(key, policy.quota(roles), policy.cost, policy.is_shadow)
            (shadows if policy.is_shadow else applied).append(Applied(policy, charge))
    return applied + shadows


class Limiter:
    """Decides about requests. `clock` gives seconds that nobody sets.

    While the windows are away, the strictest `on_outage` of a request's policies decides.
    """

    def __init__(
        self,
        windows: Windows,
        local: MemoryWindows,
        *,
        clock: Callable[[], float],
        watcher: LimiterWatcher,
    ) -> None:
        self._windows = windows
        self._local = local
        self._clock = clock
        self._watcher = watcher
        self._refused: dict[_Name, _Refused] = {}
        self._order: deque[_Name] = deque()

    def recall(self, applied: Sequence[Applied]) -> Admission | None:
        """Give the refusal that is still known without asking; None where there is none."""
        if not self._refused:
            return None
        now_s = self._clock()
        for one in applied:
            refused = self._refused.get(_name(one.charge))
            if refused is not None and now_s < refused.until_s and not one.charge.is_shadow:
                self._watcher.remembered(one.policy)
                verdict = refused.verdict(now_s)
                return Admission(
                    refused_by=one.policy,
                    retry_after_us=verdict.retry_after_us,
                    applied=[one],
                    outcome=Outcome(is_admitted=False, verdicts=(verdict,), times_us=()),
                )
        return None

    @property
    def has_refused(self) -> bool:
        """Whether there may be something for `recall` to find."""
        return bool(self._refused)

    async def acquire(self, applied: Sequence[Applied]) -> Admission:
        """Charge a request on all of its windows, or on none.

        Raises:
            UnavailableError: the windows are away, and a policy says to refuse then.
        """
        if not applied:
            return ADMITTED
        if self._refused:
            remembered = self.recall(applied)
            if remembered is not None:
                return remembered
        try:
            outcome = await self._windows.decide(list(map(_charge_of, applied)))
        except UnavailableError:
            return self._without_windows(applied)
        return self._admission(applied, outcome)

    async def give_back(self, admission: Admission) -> None:
        """Take back what an admission was charged; where the windows are away, it stays."""
        charged = admission.charged
        if not charged:
            return
        windows: Windows = self._local if admission.is_local else self._windows
        try:
            await windows.give_back(charged)
        except UnavailableError:
            return

    def _without_windows(self, applied: Sequence[Applied]) -> Admission:
        for one in applied:
            self._watcher.without_windows(one.policy)
        ways = {one.policy.on_outage for one in applied if not one.charge.is_shadow}
        if "deny" in ways:
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE)
        local = [one for one in applied if one.policy.on_outage == "local"]
        if not local:
            return ADMITTED
        outcome = self._local.decide_now([one.charge for one in local])
        return msgspec.structs.replace(self._admission(local, outcome), is_local=True)

    def _admission(self, applied: Sequence[Applied], outcome: Outcome) -> Admission:
        is_admitted = outcome.is_admitted
        for one, verdict in zip(applied, outcome.verdicts, strict=False):
            limit = one.charge.quota.limit
            self._watcher.decided(one.policy, limit, verdict, is_admitted=is_admitted)
        if is_admitted:
            return Admission(applied=applied, outcome=outcome)
        refused_by, wait_us = self._refusal(applied, outcome)
        return Admission(
            refused_by=refused_by, retry_after_us=wait_us, applied=applied, outcome=outcome
        )

    def _refusal(self, applied: Sequence[Applied], outcome: Outcome) -> tuple[Policy, int | None]:
        """Give the policy that lets the request wait longest, and remember all that refuse it."""
        waits: list[tuple[float, Policy, int | None]] = []
        for one, verdict in zip(applied, outcome.verdicts, strict=False):
            if verdict.fits or one.charge.is_shadow:
                continue
            wait_us = verdict.retry_after_us
            self._remember(one.charge, verdict)
            waits.append((float("inf") if wait_us is None else wait_us, one.policy, wait_us))
        _, policy, wait_us = max(waits, key=lambda wait: wait[0])
        return policy, wait_us

    def _remember(self, charge: Charge, verdict: Verdict) -> None:
        now_s, name = self._clock(), _name(charge)
        if name not in self._refused:
            self._order.append(name)
            if len(self._order) > _MOST_REMEMBERED:
                del self._refused[self._order.popleft()]
        wait_us = verdict.retry_after_us
        fits_at_s = inf if wait_us is None else now_s + wait_us / _MICROSECONDS
        self._refused[name] = _Refused(
            min(fits_at_s, now_s + _REMEMBERED_S),
            fits_at_s,
            verdict.remaining,
            now_s + verdict.reset_after_us / _MICROSECONDS,
        )


def _name(charge: Charge) -> _Name:
    """Give what a refusal is about: under another limit or cost, the answer may be another."""
    return charge.key, charge.quota.limit, charge.cost
