"""While a real Redis is killed, stopped, slow, full or replaced: rate limits, and revocations."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis as Client

from edge.faults import UnavailableError
from edge.ratelimit.charge import Algorithm, Charge, Quota
from edge.ratelimit.redis_lanes import open_lanes
from edge.ratelimit.shared import SharedWindows
from tests.support.app import bearer, make_settings, running_service
from tests.support.manners import halved, late
from tests.support.proxy import TcpProxy, proxy_to
from tests.support.redis import Redis, running_cluster, running_redis, running_with_sentinel

pytestmark = pytest.mark.server

ONE = Charge(b"one", Quota("counter", 1_000_000, 60_000_000))
BUDGET_S = 0.2
# What a request may take beyond its budget on a busy machine: an order of magnitude, no measure.
PATIENCE_S = 2.0
# docs/rate-limits.md promises that limits are shared again so soon after Redis is back.
RECOVERY_S = 2.0
# After which a revocation holds everywhere, Redis or not.
BOUND_S = 0.5


@pytest.fixture
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


class Watched:
    """Windows in Redis, and what they said of its going and coming."""

    def __init__(self, url: str, budget_s: float) -> None:
        self.changes: list[str] = []
        self._changed = asyncio.Event()
        self.windows = SharedWindows(open_lanes(url), budget_s=budget_s, changed=self._note)

    def _note(self, is_well: bool) -> None:  # noqa: FBT001  # a callback
        self.changes.append("well" if is_well else "away")
        self._changed.set()

    async def until_changes(self, *changes: str, timeout_s: float = 10) -> None:
        async with asyncio.timeout(timeout_s):
            while self.changes != list(changes):
                self._changed.clear()
                await self._changed.wait()

    async def until_both_lanes_are_well(self) -> None:
        async with asyncio.timeout(10):
            while self.windows.well_lanes < self.windows.lanes:  # noqa: ASYNC110  # only the first is told
                await asyncio.sleep(0)

    async def ask(self, times: int) -> list[bool]:
        """Ask at once; True for each that was decided, False for each that was told otherwise."""

        async def one() -> bool:
            try:
                async with asyncio.timeout(BUDGET_S + PATIENCE_S):
                    return (await self.windows.decide([ONE])).is_admitted
            except UnavailableError:
                return False

        return await asyncio.gather(*(one() for _ in range(times)))


@asynccontextmanager
async def watched(url: str, budget_s: float = BUDGET_S) -> AsyncIterator[Watched]:
    found = Watched(url, budget_s)
    running = asyncio.create_task(found.windows.run())
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_killed_and_started_again(redis: Redis) -> None:
    """Everybody is told within the budget; afterwards it is as before; each change is told once."""
    async with watched(redis.url) as house:
        await house.until_changes("well")
        assert all(await house.ask(50))
        redis.stop()
        await house.ask(2)
        await house.until_changes("well", "away")
        assert not any(await house.ask(500))
        redis.start()
        await house.until_changes("well", "away", "well", timeout_s=RECOVERY_S)
        assert all(await house.ask(500))
        assert house.changes == ["well", "away", "well"]


async def test_stopped_and_going_on(redis: Redis) -> None:
    """One that hangs is worse than one that is gone: the budget ends the wait."""
    async with watched(redis.url) as house:
        await house.until_changes("well")
        with redis.hanging():
            assert not any(await house.ask(300))
            await house.until_changes("well", "away")
            assert not any(await house.ask(300))
        await house.until_changes("well", "away", "well", timeout_s=RECOVERY_S)
        assert all(await house.ask(300))


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
        (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
        (["CLIENT", "PAUSE", "60000", "ALL"], None),
    ],
    ids=["full", "read-only", "paused"],
)
async def test_one_that_answers_and_does_not_decide(
    redis: Redis, broken: list[str], mended: list[str] | None
) -> None:
    """Full, read-only and paused ones are away as well, and come back by themselves."""
    async with watched(redis.url) as house, Client.from_url(redis.url) as client:
        await house.until_changes("well")
        await client.execute_command(*broken)  # type: ignore[no-untyped-call]
        assert not any(await house.ask(10))
        await house.until_changes("well", "away")
        if mended is None:
            return
        await client.execute_command(*mended)  # type: ignore[no-untyped-call]
        await house.until_changes("well", "away", "well")
        assert all(await house.ask(10))


async def test_connections_that_are_cut(redis: Redis) -> None:
    """Cutting all connections again and again: every request is answered, none wrongly."""
    async with watched(redis.url) as house, Client.from_url(redis.url) as client:
        await house.until_changes("well")
        decided = 0
        for _ in range(20):
            asking = asyncio.create_task(house.ask(50))
            await client.client_kill_filter(_type="normal", skipme=True)
            decided += sum(await asking)
        async with asyncio.timeout(10):
            while not all(await house.ask(10)):
                pass  # each time takes a round trip, or the time a lane needs to come back
    assert decided > 0


@asynccontextmanager
async def behind_a_proxy(redis: Redis) -> AsyncIterator[tuple[TcpProxy, Watched]]:
    async with (
        proxy_to(redis.port) as proxy,
        watched(f"redis://127.0.0.1:{proxy.port}/0") as house,
    ):
        await house.until_changes("well")
        yield proxy, house


async def test_one_that_is_slow(redis: Redis) -> None:
    """What comes within the budget is heeded, what comes later is not waited for."""
    async with behind_a_proxy(redis) as (proxy, house):
        proxy.answer(late(BUDGET_S / 10))
        assert all(await house.ask(50))
        proxy.answer(late(BUDGET_S * 2))
        assert not any(await house.ask(50))
        await house.until_changes("well", "away")
        await proxy.restore()
        await house.until_changes("well", "away", "well", timeout_s=RECOVERY_S)
        assert all(await house.ask(50))


@pytest.mark.parametrize(
    "mood",
    [lambda proxy: proxy.answer(halved), TcpProxy.silence],
    ids=["halved", "silence"],
)
async def test_answers_that_do_not_come_whole(
    redis: Redis, mood: Callable[[TcpProxy], None]
) -> None:
    """Half an answer is none, and no connection is used again after it; nor is silence one."""
    async with behind_a_proxy(redis) as (proxy, house):
        mood(proxy)
        assert not any(await house.ask(50))
        await house.until_changes("well", "away")
        await proxy.restore()
        await house.until_changes("well", "away", "well", timeout_s=RECOVERY_S)
        assert all(await house.ask(50))


async def test_a_sentinel_puts_the_replica_in_the_place_of_the_master() -> None:
    """Edge follows by itself, and what was replicated is still counted."""
    charges = [Charge(b"kept", Quota("log", 10, 60_000_000))]
    with running_with_sentinel() as redis:
        async with watched(redis.url) as house:
            await house.until_both_lanes_are_well()
            assert (await house.windows.decide(charges)).verdicts[0].remaining == 9
            redis.master.say("wait", "1", "5000")
            redis.master.stop()
            await house.ask(300)  # on both lanes
            await house.until_changes("well", "away", "well", timeout_s=30)
            assert (await house.windows.decide(charges)).verdicts[0].remaining == 8


async def test_a_cluster_that_lacks_a_node_is_away_as_a_whole() -> None:
    """So nobody's limit depends on which node has it; with the node, all is as before."""
    spread = [Charge(b"key:%d" % number, ONE.quota) for number in range(30)]
    with running_cluster() as cluster:
        # Thirty round trips, one after the other, are to be done within it on a busy machine.
        async with watched(cluster.url, budget_s=2) as house:
            await house.until_changes("well")
            assert (await house.windows.decide(spread)).is_admitted
            with cluster.nodes[2].hanging():
                for _ in range(2):  # one for each lane
                    with pytest.raises(UnavailableError):
                        await house.windows.decide(spread)
                await house.until_changes("well", "away")
                assert not any(await house.ask(100))
            await house.until_changes("well", "away", "well", timeout_s=30)
            assert (await house.windows.decide(spread)).is_admitted


async def test_never_there(redis: Redis) -> None:
    """Where nobody listens from the start, requests are told at once; it is used when it comes."""
    redis.stop()
    async with watched(redis.url) as house:
        assert not any(await house.ask(100))
        redis.start()
        await house.until_changes("well")
        assert all(await house.ask(100))


@pytest.mark.parametrize("algorithm", ["log", "counter"])
def test_four_processes_admit_the_limit(redis: Redis, algorithm: Algorithm) -> None:
    """Over edges of windows, in no window of Redis's own clock more than the limit; exactly it."""
    limit, window_us, asks = 100, 1_000_000, 150
    arguments = [redis.url, algorithm, str(limit), str(window_us), str(asks)]
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.charger", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    outputs = [process.communicate("go\n", timeout=60)[0] for process in processes]
    times = sorted(at_us for output in outputs for at_us in json.loads(output))
    assert len(times) >= 2 * limit
    first_window = [at_us for at_us in times if at_us < times[0] + window_us]
    assert len(first_window) == limit
    for place, at_us in enumerate(times):
        within = [other for other in times[place:] if other < at_us + window_us]
        assert len(within) <= limit


async def test_a_revocation_that_redis_loses_holds_within_the_bound(
    redis: Redis, database_url: str, tmp_path: Path
) -> None:
    """Redis only wakes readers early: a logout while it hangs reaches the other replica as well."""
    settings = make_settings(
        tmp_path, database_url, REDIS_URL=redis.url, REVOCATION_BOUND_S=str(BOUND_S)
    )
    async with running_service(settings) as one, running_service(settings) as other:
        await one.add_user("ann", ["user"])
        token = (await one.login("ann"))["access_token"]
        assert (await other.get("/user-area", token)).status_code == 200
        with redis.hanging():
            assert (await one.http.post("/logout", headers=bearer(token))).status_code == 204
            assert (await one.get("/user-area", token)).status_code == 401
            async with asyncio.timeout(BOUND_S + PATIENCE_S):
                while (await other.get("/user-area", token)).status_code != 401:  # noqa: ASYNC110  # what others see
                    await asyncio.sleep(0.01)
