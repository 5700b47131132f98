"""Attempts to log in: what is asked, and in which order."""

from uuid import UUID

import pytest

from edge.access.login_attempts import LimitedAttempts, account_of
from edge.faults import TooManyAttemptsError
from edge.ratelimit.limiter import Limiter
from edge.ratelimit.memory import MemoryWindows
from edge.ratelimit.policy import Policy
from edge.telemetry.limits import LimitCounts
from tests.support.fakes import FakeClock
from tests.support.metrics import new_metrics

POLICIES = [
    Policy(
        name="login",
        limit=1,
        window_s=60,
        algorithm="log",
        partition=("account", "address"),
        counts="logins",
    ),
    Policy(name="account", limit=9, window_s=60, partition=("account",), counts="logins"),
]


class Networks:
    """Knows none, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def knows(self, account: str, network: str) -> bool:
        del account, network
        self.asked += 1
        return False

    async def remember(self, user_id: UUID, network: str) -> None:
        raise NotImplementedError


async def test_a_refusal_that_is_remembered_reaches_no_database() -> None:
    """A flood of attempts is turned away without a query for each."""
    clock, networks = FakeClock(1000.0), Networks()
    windows = MemoryWindows(lambda: round(clock.now * 1_000_000))
    limiter = Limiter(windows, windows, clock=clock, watcher=LimitCounts(new_metrics()))
    attempts = LimitedAttempts(limiter, POLICIES, networks)
    await attempts.begin("ann", "203.0.113.7")
    for _ in range(20):
        with pytest.raises(TooManyAttemptsError) as refused:
            await attempts.begin("ann", "203.0.113.7")
        assert refused.value.policy == "login"
    assert networks.asked == 2
    await attempts.begin("bob", "203.0.113.7")
    assert networks.asked == 3


def test_a_name_is_one_account_however_it_is_written() -> None:
    """Else every spelling would have attempts of its own."""
    assert account_of("ANN") == account_of("ann") == account_of("Ann") == "ann"
    assert account_of("no name at all") == account_of("NO NAME AT ALL")
