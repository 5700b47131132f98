"""Windows of rate limits: one suite in memory, in a real Redis and in a real Cluster of three."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis as Client

from edge.faults import UnavailableError
from edge.ratelimit.charge import Algorithm, Charge, Charged, Outcome, Quota, Request
from edge.ratelimit.memory import MemoryWindows
from edge.ratelimit.ports import Windows, decide
from edge.ratelimit.redis import RedisLane, Script
from edge.ratelimit.redis_lanes import open_lanes
from edge.ratelimit.shared import SharedWindows
from edge.stores.redis import connection
from tests.support.certificates import make_certificate
from tests.support.redis import Cluster, Redis, running_cluster, running_redis

MINUTE_US = 60_000_000
ALGORITHMS: list[Algorithm] = ["log", "counter"]


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as nodes:
        yield nodes


@asynccontextmanager
async def shared(url: str, *, budget_s: float = 5.0) -> AsyncIterator[SharedWindows]:
    """Windows in Redis, with a budget that a busy machine keeps."""
    is_well = asyncio.Event()
    windows = SharedWindows(
        open_lanes(url),
        budget_s=budget_s,
        changed=lambda well: is_well.set() if well else None,
        took=lambda *_: None,
    )
    running = asyncio.create_task(windows.run())
    async with asyncio.timeout(10):
        await is_well.wait()
    try:
        yield windows
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture(params=["memory", "redis", "cluster"])
async def windows(request: pytest.FixtureRequest) -> AsyncIterator[Windows]:
    if request.param == "memory":
        clock = asyncio.get_running_loop().time
        yield MemoryWindows(lambda: round(clock() * 1_000_000))
        return
    store: Redis | Cluster = request.getfixturevalue(request.param)
    for node in [store] if isinstance(store, Redis) else store.nodes:
        node.say("flushall")
    async with shared(store.url) as found:
        yield found


atomic = pytest.mark.parametrize("windows", ["memory", "redis"], indirect=True)


def charge(
    key: str, algorithm: Algorithm = "log", limit: int = 3, cost: int = 1, *, shadow: bool = False
) -> Charge:
    name = f"{algorithm}:{key}".encode()
    return Charge(name, Quota(algorithm, limit, MINUTE_US), cost, shadow)


async def admitted(windows: Windows, times: int, *charges: Charge) -> int:
    outcomes = [await windows.decide(charges) for _ in range(times)]
    return sum(outcome.is_admitted for outcome in outcomes)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_of_a_thousand_at_once_the_limit_is_admitted(
    windows: Windows, algorithm: Algorithm
) -> None:
    """Exactly so many, however many ask at the same moment."""
    one = charge("a", algorithm, limit=137)
    outcomes = await asyncio.gather(*(windows.decide([one]) for _ in range(1000)))
    assert sum(outcome.is_admitted for outcome in outcomes) == 137
    left = sorted(o.verdicts[0].remaining for o in outcomes if o.is_admitted)
    assert left == list(range(137))


@atomic
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_all_are_charged_or_none(windows: Windows, algorithm: Algorithm) -> None:
    """Where one window is full, the others are as if nobody had asked."""
    full, free = charge("full", algorithm, limit=1), charge("free", algorithm, limit=10)
    assert await admitted(windows, 1, full) == 1
    assert await admitted(windows, 5, free, full) == 0
    outcome = await windows.decide([charge("free", algorithm, limit=10, cost=0)])
    assert outcome.verdicts[0].remaining == 10


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_shadow_is_charged_when_the_request_is_admitted_and_it_fits(
    windows: Windows, algorithm: Algorithm
) -> None:
    """It refuses nobody, and does not count what others refused."""
    shadow = charge("shadow", algorithm, limit=2, shadow=True)
    real = charge("real", algorithm, limit=3)
    outcomes = [await windows.decide([real, shadow]) for _ in range(5)]
    assert [o.is_admitted for o in outcomes] == [True, True, True, False, False]
    assert [o.verdicts[1].fits for o in outcomes[:3]] == [True, True, False]
    assert await admitted(windows, 3, charge("shadow", algorithm, limit=3)) == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_cost_above_the_limit_never_fits(windows: Windows, algorithm: Algorithm) -> None:
    """It is refused without a time to wait, and charges nothing."""
    for cost in (4, 2**40):
        outcome = await windows.decide([charge("a", algorithm, limit=3, cost=cost)])
        assert (outcome.is_admitted, outcome.verdicts[0].retry_after_us) == (False, None)
    assert await admitted(windows, 5, charge("a", algorithm, limit=3)) == 3


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_changed_limit_counts_what_was_there(
    windows: Windows, algorithm: Algorithm
) -> None:
    """A higher limit admits the rest, a lower one nobody until enough has gone."""
    assert await admitted(windows, 9, charge("a", algorithm, limit=5)) == 5
    assert await admitted(windows, 9, charge("a", algorithm, limit=7)) == 2
    lower = await windows.decide([charge("a", algorithm, limit=2)])
    assert (lower.is_admitted, lower.verdicts[0].remaining) == (False, 0)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_what_is_given_back_is_free_again(windows: Windows, algorithm: Algorithm) -> None:
    """Once for each charge; giving back more than was charged frees nothing else."""
    one = charge("a", algorithm, limit=2)
    first = await windows.decide([one])
    assert await admitted(windows, 2, one) == 1
    await windows.give_back([Charged(one, first.times_us[0])])
    assert await admitted(windows, 2, one) == 1
    await windows.give_back([Charged(one, first.times_us[0] - 10 * MINUTE_US)])
    assert await admitted(windows, 2, one) == 0


@pytest.mark.parametrize("windows", ["cluster"], indirect=True)
async def test_a_cluster_stops_at_the_first_window_that_refuses(windows: Windows) -> None:
    """What came before it stays charged, and what comes after it is not asked."""
    charges = [charge(name, limit=limit) for name, limit in (("a", 10), ("b", 1), ("c", 10))]
    outcomes = [await windows.decide(charges) for _ in range(4)]
    assert [o.is_admitted for o in outcomes] == [True, False, False, False]
    assert [len(o.verdicts) for o in outcomes] == [3, 2, 2, 2]
    asked = [await windows.decide([msgspec.structs.replace(one, cost=0)]) for one in charges]
    assert [o.verdicts[0].remaining for o in asked] == [6, 0, 9]


@pytest.mark.parametrize("windows", ["cluster"], indirect=True)
async def test_a_cluster_decides_by_the_clock_of_each_node(
    windows: Windows, cluster: Cluster
) -> None:
    """So each charge has a time of its own, by which it is given back."""
    charges = [charge(f"k{number}", "log", limit=1) for number in range(30)]
    outcome = await windows.decide(charges)
    assert len(outcome.times_us) == 30
    keys = [int(node.say("dbsize")) for node in cluster.nodes]
    assert min(keys) > 1, keys
    await windows.give_back(list(map(Charged, charges, outcome.times_us)))
    assert (await windows.decide(charges)).is_admitted


async def test_every_key_in_redis_goes_by_itself(redis: Redis) -> None:
    """Each has a time to live, of about a window."""
    async with shared(redis.url) as windows, Client.from_url(redis.url) as client:
        await client.flushall()
        await windows.decide([charge("a", "log"), charge("a", "counter")])
        lives = [await client.pttl(key) for key in await client.keys("*") if b"probe" not in key]
    assert len(lives) == 2
    assert all(50_000 < life <= 66_001 for life in lives)


async def test_a_counter_takes_the_same_memory_however_much_it_counts(redis: Redis) -> None:
    """52 bytes of state, whatever the limit and the traffic."""
    async with shared(redis.url) as windows, Client.from_url(redis.url) as client:
        await client.flushall()
        one = charge("a", "counter", limit=100_000)
        await windows.decide([one])
        before = await client.memory_usage(one.key)
        await asyncio.gather(*(windows.decide([one]) for _ in range(2000)))
        assert await client.memory_usage(one.key) == before
        assert await client.strlen(one.key) == 52


async def test_a_redis_over_tls_decides_where_it_is_the_right_one(tmp_path: Path) -> None:
    """Its certificate is checked: without the authority that vouches for it, nothing is sent."""
    with running_redis(certificate=make_certificate(tmp_path)) as server:
        async with shared(server.url) as windows:
            assert await admitted(windows, 5, charge("a")) == 3
        stranger, *_ = open_lanes(server.url.partition("?")[0])
        with pytest.raises(UnavailableError):
            await stranger.connect()


async def test_flushed_scripts_are_nobodys_error(redis: Redis) -> None:
    """SCRIPT FLUSH every few decisions: all are decided, and exactly the limit admitted."""
    async with shared(redis.url) as windows, Client.from_url(redis.url) as client:
        await client.flushall()
        one = charge("a", "counter", limit=200)
        outcomes: list[Outcome] = []
        for _ in range(40):
            await client.script_flush()
            outcomes += await asyncio.gather(*(windows.decide([one]) for _ in range(10)))
    assert sum(outcome.is_admitted for outcome in outcomes) == 200


async def test_who_goes_away_takes_nobodys_answer(redis: Redis) -> None:
    """10,000 requests are cancelled at random moments, counted: no reply is another's."""
    luck = random.Random(7)  # noqa: S311  # no secret
    async with shared(redis.url) as windows, Client.from_url(redis.url) as client:
        await client.flushall()

        async def ask(number: int) -> bool:
            limit = 10 + number  # by which the answer says whose it is
            outcome = await windows.decide([charge(f"k{number}", "counter", limit=limit)])
            return outcome.verdicts[0].remaining == limit - 1

        right = left = 0
        while left < 10_000:
            tasks = [asyncio.create_task(ask(right + number)) for number in range(500)]
            for _ in range(luck.randint(1, 6)):  # waiting, being sent, or being answered
                await asyncio.sleep(0)
            for task in luck.sample(tasks, 250):
                task.cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            stayed = [a for a in answers if not isinstance(a, BaseException)]
            assert all(answer is True for answer in stayed)
            right += len(stayed)
            left += len(answers) - len(stayed)
            await client.flushall()
        assert (await windows.decide([charge("last", "log")])).is_admitted
    assert right >= left


CLOCK = "local now = tonumber(redis.call('GET', 'clock'))"


@pytest.mark.parametrize("seed", range(3))
async def test_the_script_does_what_the_model_does(redis: Redis, seed: int) -> None:
    """2,500 random steps of a virtual clock, which also runs backwards: every field agrees."""
    luck = random.Random(seed)  # noqa: S311  # no secret
    now = 1_800_000_000_000_000
    model = MemoryWindows(lambda: now)
    lane = RedisLane(connection(redis.url), Script(CLOCK))
    past: list[list[Charged]] = []
    refused = 0
    async with Client.from_url(redis.url) as client:
        await client.flushall()
        await lane.connect()
        for _ in range(2500):
            now += step(luck, now)
            await client.set("clock", now)
            if past and luck.random() < 0.1:
                charged = luck.choice(past[-20:])
                await decide(lane, [Request([one.charge for one in charged], charged[0].at_us)])
                await model.give_back(charged)
                continue
            charges = [
                some_charge(luck, place) for place in luck.sample(range(6), luck.randint(1, 3))
            ]
            [theirs], ours = await decide(lane, [Request(charges)]), model.decide_now(charges)
            assert theirs == ours
            refused += not ours.is_admitted
            if ours.is_admitted:
                decided = zip(charges, ours.verdicts, ours.times_us, strict=True)
                charged = [Charged(one, at) for one, verdict, at in decided if verdict.fits]
                past += [charged] if charged else []
        await lane.close()
    assert 500 < refused < 2000


def step(luck: random.Random, now: int) -> int:
    """Give how far the clock goes: often to the edge of a sub-window, sometimes back."""
    window = luck.choice([MINUTE_US, 10 * MINUTE_US])
    to_edge = window // 10 - now % (window // 10)
    return luck.choice(
        [0, 0, 0, 0, 1, luck.randrange(window // 10), luck.randrange(window // 3)]
        + [to_edge, to_edge - 1, -luck.randrange(window // 5)]
        + ([window] if luck.random() < 0.1 else [])
    )


def some_charge(luck: random.Random, place: int) -> Charge:
    algorithm: Algorithm = "log" if place % 2 else "counter"
    window = MINUTE_US if place < 3 else 10 * MINUTE_US
    limit, cost = luck.choice([1, 3, 10, 50, 50]), luck.choice([0, 1, 1, 1, 2, 5, 20, 60])
    return Charge(f"k{place}".encode(), Quota(algorithm, limit, window), cost, luck.random() < 0.2)


async def test_the_memory_of_windows_is_bounded() -> None:
    """Beyond the most keys of a window length, the one charged longest ago is forgotten."""
    now = 0
    windows = MemoryWindows(lambda: now, most_keys=100)
    for number in range(1000):
        now += 1
        await windows.decide([charge(f"k{number}")])
    assert len(windows) == 100
    now += 2 * MINUTE_US
    for number in range(60):
        await windows.decide([charge(f"new{number}")])
    assert len(windows) == 60
