"""F6 to F9: Redis is killed, hangs, forgets its script, is full, and throws away what it has.

Logins, refreshes and revocations need no Redis: they go on in all of these.
"""

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from tests.support.experiment import IS_THOROUGH, Experiment, experiment
from tests.support.fleet import Fleet
from tests.support.logins import Login, log_in, log_out, use_everywhere
from tests.support.outcomes import Ask, percentile
from tests.support.redis import Redis
from tests.support.rounds import LIMIT, LOCAL_PATH, hit_at_once

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

OUTAGE_S = 3
BUDGET_S = 0.5  # of a decision, as in conftest.py
# What a request may take beyond its budget on a busy machine: an order of magnitude, no measure.
PATIENCE_S = 1.0
# docs/rate-limits.md promises that limits are shared again so soon after Redis is back.
RECOVERY_S = 2.0
# After which a revocation holds everywhere; the default.
BOUND_S = 1.0


@pytest.fixture
def asks(asks: list[Ask], logins: list[Ask]) -> list[Ask]:
    """The usual ones, and some logins, which cost more."""
    return asks * 4 + logins


@pytest.fixture(autouse=True)
def _redis_is_well(redis: Redis, fleet: Fleet, port: int) -> Iterator[None]:
    yield
    fleet.replicas[0].wait_until(lambda: not fleet.are_limits_away())


async def revoke_and_use(running: Experiment, fleet: Fleet, held: Sequence[Login | None]) -> None:
    """Log all of them out, and use them at both replicas once the bound is over."""
    logins = [login for login in held if login]
    for login in logins:
        await log_out(running, login)
    await asyncio.sleep(BOUND_S)  # the promise is about time
    for login in logins:
        await use_everywhere(running, fleet, login, 401)


async def test_f6_redis_is_killed(redis: Redis, fleet: Fleet, port: int, asks: list[Ask]) -> None:
    """Nothing is lost; each replica counts by itself until it is back."""
    async with experiment(
        f"F6 SIGKILL of Redis for {OUTAGE_S} s", port, asks, sign=fleet.are_limits_away
    ) as running:
        redis.kill()
        await running.until(fleet.are_limits_away)
        await hit_at_once(running, 30, path=LOCAL_PATH, most=LIMIT * len(fleet.replicas))
        held = [await log_in(running, fleet) for _ in range(5)]
        await revoke_and_use(running, fleet, held)
        await asyncio.sleep(max(running.fault_at_s + OUTAGE_S - running.now_s(), 0))
        await asyncio.to_thread(redis.start)
    running.report.assert_nothing_is_lost()
    assert running.report.recovered_s < RECOVERY_S + PATIENCE_S, running.report.line()


async def test_f7_redis_hangs(redis: Redis, fleet: Fleet, port: int, asks: list[Ask]) -> None:
    """One that does not answer costs a request its budget at most, and then nothing."""
    async with experiment(
        f"F7 SIGSTOP of Redis for {OUTAGE_S} s", port, asks, sign=fleet.are_limits_away
    ) as running:
        with redis.hanging():
            await running.until(fleet.are_limits_away)
            known_at_s = running.now_s()
            await asyncio.sleep(OUTAGE_S)
    report = running.report
    report.assert_nothing_is_lost()
    assert percentile(report.after_fault(), 1) < BUDGET_S + PATIENCE_S, report.line()
    later = [one for one in report.outcomes if known_at_s < one.at_s < report.ended_at_s]
    assert percentile(later, 0.9) < BUDGET_S, report.line()
    assert report.recovered_s < RECOVERY_S + PATIENCE_S, report.line()


async def test_f8_scripts_are_gone(redis: Redis, fleet: Fleet, port: int, asks: list[Ask]) -> None:
    """The script is sent again, nobody notices, and the limit stays exact."""
    async with experiment(
        "F8 SCRIPT FLUSH every 100 ms", port, asks, sign=fleet.are_limits_away
    ) as running:
        flushing = asyncio.create_task(flush_all_the_time(redis))
        admitted = [await hit_at_once(running, 25) for _ in range(100 if IS_THOROUGH else 10)]
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
    running.report.assert_all_are_served()
    assert set(admitted) == {LIMIT}


async def flush_all_the_time(redis: Redis) -> None:
    while True:
        await asyncio.to_thread(redis.say, "script", "flush")
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "policy", ["noeviction", pytest.param("allkeys-lru", marks=pytest.mark.thorough)]
)
async def test_f9_redis_is_full(
    redis: Redis, fleet: Fleet, port: int, asks: list[Ask], policy: str
) -> None:
    """It can keep nothing, or has thrown all away: who was logged out stays so."""
    async with experiment(
        f"F9 maxmemory reached, {policy}", port, asks, sign=fleet.are_limits_away
    ) as running:
        held = [await log_in(running, fleet) for _ in range(10)]
        redis.say("config", "set", "maxmemory-policy", policy)
        redis.say("config", "set", "maxmemory", "1")
        await revoke_and_use(running, fleet, held)
        if policy != "noeviction":
            assert redis.say("dbsize").strip() == "0"
        redis.say("config", "set", "maxmemory", "0")
    running.report.assert_nothing_is_lost()
