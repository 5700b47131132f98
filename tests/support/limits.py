"""Rate limits around tests."""

from edge.http.rate_limits import RateLimits
from edge.ratelimit.limiter import Limiter
from edge.ratelimit.memory import MemoryWindows
from edge.telemetry.limits import LimitCounts


def no_limits() -> RateLimits:
    """Give limits without a policy."""
    windows = MemoryWindows(lambda: 0)
    limiter = Limiter(windows, windows, clock=lambda: 0.0, watcher=LimitCounts())
    return RateLimits(limiter, [], legacy=False)
