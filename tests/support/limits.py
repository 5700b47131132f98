"""Rate limits around tests."""

from collections.abc import Sequence

from edge.http.rate_limits import RateLimits
from edge.ratelimit.charge import Outcome, Request
from edge.ratelimit.limiter import Limiter
from edge.ratelimit.memory import MemoryWindows
from edge.ratelimit.ports import Lane
from edge.telemetry.limits import LimitCounts
from tests.support.metrics import new_metrics


def no_limits() -> RateLimits:
    """Give limits without a policy."""
    windows = MemoryWindows(lambda: 0)
    limiter = Limiter(windows, windows, clock=lambda: 0.0, watcher=LimitCounts(new_metrics()))
    return RateLimits(limiter, [], legacy=False)


async def decide(lane: Lane, requests: Sequence[Request]) -> list[Outcome]:
    """Decide in one round trip, as `SharedWindows` does."""
    await lane.begin(requests)
    return await lane.finish()
