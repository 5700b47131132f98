"""Rate limits around tests."""

from collections.abc import Sequence

from edge.faults import UnavailableError
from edge.http.rate_limits import RateLimits
from edge.ratelimit.charge import Charge, Charged, Outcome
from edge.ratelimit.limiter import Limiter
from edge.ratelimit.memory import MemoryWindows
from edge.ratelimit.policy import Policy
from edge.reasons import Reason
from edge.telemetry.limits import LimitCounts
from tests.support.metrics import new_metrics


def no_limits() -> RateLimits:
    """Give limits without a policy."""
    windows = MemoryWindows(lambda: 0)
    limiter = Limiter(windows, windows, clock=lambda: 0.0, watcher=LimitCounts(new_metrics()))
    return RateLimits(limiter, [], legacy=False)


class AwayWindows:
    """Windows that are never there."""

    async def decide(self, charges: Sequence[Charge]) -> Outcome:  # noqa: ARG002
        raise UnavailableError(Reason.LIMITS_UNAVAILABLE)

    async def give_back(self, charged: Sequence[Charged]) -> None:  # noqa: ARG002
        raise UnavailableError(Reason.LIMITS_UNAVAILABLE)


def limits_while_away(policy: Policy) -> RateLimits:
    """Give limits of one policy whose windows are away."""
    local = MemoryWindows(lambda: 0)
    watcher = LimitCounts(new_metrics())
    limiter = Limiter(AwayWindows(), local, clock=lambda: 0.0, watcher=watcher)
    return RateLimits(limiter, [policy], legacy=False)
