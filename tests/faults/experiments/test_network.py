"""F11 to F13: the network between Edge and Redis is bad, and clients leave in the middle."""

import asyncio
import random

import pytest

from tests.support.experiment import Experiment, experiment
from tests.support.fleet import Fleet
from tests.support.manners import (
    Manner,
    drop_by_drop,
    every,
    for_the_last_time,
    halved,
    late,
    not_at_all,
)
from tests.support.network import Network
from tests.support.outcomes import Ask, percentile

pytestmark = [
    pytest.mark.server,
    pytest.mark.thorough,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]

FAULT_S = 5
RATE_PER_S = 100
BUDGET_S = 0.5  # of a decision, as in conftest.py
# What a request may take beyond that on a busy machine: an order of magnitude, no measure.
PATIENCE_S = 1.0
LEAVING = 2000
LEAVING_AT_ONCE = 10

MANNERS: dict[str, Manner] = {
    "each 50th answer reset": every(50, not_at_all),
    "each 50th answer cut in half": every(50, halved),
    "each 50th answer the last of its connection": every(50, for_the_last_time),
    "answers in single bytes": drop_by_drop(0.001),
    "answers of one byte a second": drop_by_drop(1),
}


@pytest.fixture
def fleet(network: Network) -> Fleet:
    """The one behind proxies, for the usual requests too."""
    return network.fleet


@pytest.mark.parametrize("how", MANNERS)
async def test_f11_answers_of_redis_come_badly(network: Network, asks: list[Ask], how: str) -> None:
    """Everybody gets an answer, and it is their own."""
    async with experiment(
        f"F11 {how}",
        network.haproxy.port,
        asks,
        sign=network.fleet.are_limits_away,
        rate_per_s=RATE_PER_S,
    ) as running:
        network.to_redis.answer(MANNERS[how])
        await asyncio.sleep(FAULT_S)
        await network.to_redis.restore()
    running.report.assert_nothing_is_lost()
    assert percentile(running.report.outcomes, 0.99) < BUDGET_S + PATIENCE_S, running.report.line()


async def test_f12_clients_leave_in_the_middle(network: Network, asks: list[Ask]) -> None:
    """Who stays gets their own answers, and connections to Redis are as many as before."""
    before = network.to_redis.connections
    chance = random.Random(12)  # noqa: S311  # the same at each run
    delays = [chance.uniform(0, 0.06) for _ in range(LEAVING)]
    async with experiment(
        f"F12 {LEAVING} clients leave, Redis 20 ms away",
        network.haproxy.port,
        asks,
        sign=network.fleet.are_limits_away,
        rate_per_s=RATE_PER_S,
    ) as running:
        network.to_redis.answer(late(0.02))
        shares = [delays[start::LEAVING_AT_ONCE] for start in range(LEAVING_AT_ONCE)]
        port = network.haproxy.port
        await asyncio.gather(*(leave(port, network.fleet, share) for share in shares))
        await network.to_redis.restore()
        await running.until(lambda: network.to_redis.connections == before)
    running.report.assert_nothing_is_lost()


async def leave(port: int, fleet: Fleet, delays: list[float]) -> None:
    """Ask who one is and hang up so long after, again and again."""
    request = f"GET /users/me HTTP/1.1\r\nHost: edge.test\r\n{fleet.bearer('many')}\r\n\r\n"
    for delay_s in delays:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.encode())
        await asyncio.sleep(delay_s)
        writer.transport.abort()


@pytest.mark.parametrize("latency_s", [0.05, 0.2, 1.0])
async def test_f13_redis_is_far(network: Network, asks: list[Ask], latency_s: float) -> None:
    """What comes within the budget is waited for; else each counts by itself. Tokens need none."""
    async with experiment(
        f"F13 Redis {latency_s * 1000:.0f} ms away",
        network.haproxy.port,
        asks,
        sign=network.fleet.are_limits_away,
        rate_per_s=RATE_PER_S,
    ) as running:
        network.to_redis.answer(late(latency_s))
        await asyncio.sleep(FAULT_S)
        await network.to_redis.restore()
    report = running.report
    report.assert_nothing_is_lost()
    # A decision waits for one that is under way, and for its own.
    slowest_s = min(2 * latency_s, BUDGET_S) + PATIENCE_S
    assert percentile(report.after_fault(), 0.99) < slowest_s, report.line()
    assert typical_s(running) < PATIENCE_S / 2
    assert bool(report.seen_s) == (latency_s > BUDGET_S), report.line()


def typical_s(running: Experiment) -> float:
    """Give how long requests take that need a token and no Redis."""
    return percentile(running.report.after_fault("/admin-area"), 0.9)
