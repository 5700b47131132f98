"""Deciding about rate limits in Redis, with few and many requests in flight.

Redis is not on the CPU that is measured.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from redis.asyncio import Redis

from benchmarks.batches import awaiting
from benchmarks.case import Batch, Case, Kind, WrongResultError
from benchmarks.material.limits import charges, is_admitted
from benchmarks.programs.program import HOST
from benchmarks.programs.redis import REDIS
from edge.ratelimit.charge import Algorithm, Request
from edge.ratelimit.redis import Script, pack_requests, unpack_outcomes
from edge.ratelimit.redis_lanes import open_lanes
from edge.ratelimit.shared import SharedWindows

_IN_FLIGHT: Final = (1, 32, 256)
_KEYS: Final = 1000
_MANY: Final = 100_000
_IN_A_BATCH: Final = 32
_GATED: Final = ("limit/redis/counter/32", "limit/redis/counter/256")


@asynccontextmanager
async def _deciding(algorithm: Algorithm, in_flight: int, keys: int) -> AsyncIterator[Batch]:
    with REDIS.use() as port:
        lanes = open_lanes(f"redis://{HOST}:{port}")
        # More than Edge gives it by default: a slow moment is to be seen, not to be refused.
        windows = SharedWindows(lanes, budget_s=1.0, changed=lambda _: None)
        running = asyncio.create_task(windows.run())
        try:
            await windows.settle(5)
            asked = charges(algorithm, keys)
            yield awaiting(windows.decide, asked, is_admitted, in_flight=in_flight)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def _on_the_side_of_redis() -> AsyncIterator[Batch]:
    """Take what Redis itself counts for a decision, of those that share a call."""
    with REDIS.use() as port:
        url = f"redis://{HOST}:{port}"
        client = Redis.from_url(url)
        requests = [Request(one) for one in charges("counter", _IN_A_BATCH)]
        count, *arguments = pack_requests(requests)
        sha = await client.script_load(Script().text)

        async def batch(n: int) -> int:
            before_us = await _used_us(client)
            for _ in range(-(-n // _IN_A_BATCH)):
                reply = await client.evalsha(sha, int(count), *arguments)
                if not all(map(is_admitted, unpack_outcomes(requests, reply))):
                    message = "a request was refused"
                    raise WrongResultError(message)
            calls = -(-n // _IN_A_BATCH) * _IN_A_BATCH
            return round((await _used_us(client) - before_us) * 1000 * n / calls)

        yield batch
        await client.aclose()


async def _used_us(client: Redis) -> int:
    found = (await client.info("commandstats")).get("cmdstat_evalsha")
    return int(found["usec"]) if found else 0


def _case(name: str, algorithm: Algorithm, in_flight: int, keys: int = _KEYS) -> Case:
    is_main = name.startswith("limit/redis/counter/")
    is_log = algorithm == "log" and keys == _KEYS
    moving = [f"peer/limits-moving/{in_flight}"]  # an exact log
    peers = [*moving, f"peer/limits-sliding/{in_flight}"]
    others = [f"peer/{peer}/{in_flight}" for peer in ("throttled-sliding", "litestar")]
    floors = [f"floor/evalsha/{in_flight}"]
    if in_flight == max(_IN_FLIGHT):
        floors.append("floor/redis-benchmark")
    return Case(
        id=name,
        open=partial(_deciding, algorithm, in_flight, keys),
        kind=Kind.REDIS,
        gated=name in _GATED,
        of=[*floors, *peers, *others] if is_main else moving if is_log else [],
    )


CASES: Final[Sequence[Case]] = [
    *(_case(f"limit/redis/counter/{n}", "counter", n) for n in _IN_FLIGHT),
    *(_case(f"limit/redis/log/{n}", "log", n) for n in _IN_FLIGHT),
    _case("limit/redis/one-key", "counter", max(_IN_FLIGHT), 1),
    _case("limit/redis/100000-keys", "counter", max(_IN_FLIGHT), _MANY),
    _case("limit/redis/log/100000-keys", "log", max(_IN_FLIGHT), _MANY),
    Case(id="limit/redis/its-own-time", open=_on_the_side_of_redis, kind=Kind.REDIS),
]
