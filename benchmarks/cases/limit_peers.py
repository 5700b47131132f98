"""Other libraries that count requests, in memory and in Redis, on as many keys."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter as MovingInMemory
from limits.strategies import SlidingWindowCounterRateLimiter as SlidingInMemory
from litestar import Litestar
from litestar.middleware.rate_limit import RateLimitConfig, RateLimitMiddleware
from litestar.stores.redis import RedisStore
from pyrate_limiter import InMemoryBucket, Limiter, Rate
from redis.asyncio import Redis
from throttled import MemoryStore, Throttled
from throttled import per_min as throttled_per_minute
from throttled.asyncio import RedisStore as ThrottledRedis
from throttled.asyncio import Throttled as AsyncThrottled

from benchmarks.batches import awaiting, calling, ready
from benchmarks.case import Batch, Case, Kind
from benchmarks.programs.program import HOST
from benchmarks.programs.redis import REDIS

_IN_FLIGHT: Final = (1, 32, 256)
_KEYS: Final = [str(number) for number in range(1000)]
_MINUTE_MS: Final = 60_000
_MOST: Final = 1_000_000_000
_MOST_OF_LOG: Final = 10_000

Ask = Callable[[str], Awaitable[bool]]


def _limits_sliding() -> Batch:
    limiter, item = SlidingInMemory(MemoryStorage()), RateLimitItemPerMinute(_MOST)
    return calling(lambda key: limiter.hit(item, key), _KEYS, bool)


def _limits_moving() -> Batch:
    limiter, item = MovingInMemory(MemoryStorage()), RateLimitItemPerMinute(_MOST_OF_LOG)
    return calling(lambda key: limiter.hit(item, key), _KEYS, bool)


def _throttled_sliding() -> Batch:
    store = MemoryStore(options={"MAX_SIZE": len(_KEYS)})
    throttle = Throttled(using="sliding_window", quota=throttled_per_minute(_MOST), store=store)
    return calling(lambda key: throttle.limit(key).limited, _KEYS, lambda limited: not limited)


def _pyrate_log() -> Batch:
    """Use a limiter for each key: it knows of no keys."""
    limiters = [Limiter(InMemoryBucket([Rate(_MOST_OF_LOG, _MINUTE_MS)])) for _ in range(64)]
    return calling(lambda one: one.try_acquire("bench", blocking=False), limiters, bool)


@asynccontextmanager
async def _in_redis(make: Callable[[str, int], Ask], in_flight: int) -> AsyncIterator[Batch]:
    with REDIS.use() as port:
        url = f"redis://{HOST}:{port}/1"
        client = Redis.from_url(url)
        await client.flushdb()
        yield awaiting(make(url, in_flight), _KEYS, bool, in_flight=in_flight)
        await client.aclose()


def _limits_storage(url: str, in_flight: int) -> RedisStorage:
    # Or the pool's queue is what is measured.
    return RedisStorage(f"async+{url}", implementation="redispy", max_connections=in_flight + 1)


def _moving(url: str, in_flight: int) -> Ask:
    limiter = MovingWindowRateLimiter(_limits_storage(url, in_flight))
    item = RateLimitItemPerMinute(_MOST_OF_LOG)
    return lambda key: limiter.hit(item, key)


def _sliding(url: str, in_flight: int) -> Ask:
    limiter = SlidingWindowCounterRateLimiter(_limits_storage(url, in_flight))
    item = RateLimitItemPerMinute(_MOST)
    return lambda key: limiter.hit(item, key)


def _throttled(url: str, in_flight: int) -> Ask:
    pool = {"CONNECTION_POOL_KWARGS": {"max_connections": in_flight + 1}}
    store = ThrottledRedis(url, options=pool)
    quota = throttled_per_minute(_MOST)
    throttle = AsyncThrottled(using="sliding_window", quota=quota, store=store)

    async def ask(key: str) -> bool:
        return not (await throttle.limit(key)).limited

    return ask


def _litestar(url: str, in_flight: int) -> Ask:
    """Do what Litestar's middleware does for a request, with the lock that it takes."""
    store = RedisStore(Redis.from_url(url, max_connections=in_flight + 1), namespace="litestar")
    config = RateLimitConfig(rate_limit=("minute", _MOST_OF_LOG))
    middleware = RateLimitMiddleware(Litestar(logging_config=None), config)

    async def ask(key: str) -> bool:
        async with middleware._lock:  # noqa: SLF001  # as its __call__ does
            history = await middleware.retrieve_cached_history(key, store)
            is_admitted = len(history.history) < middleware.max_requests
            if is_admitted:
                await middleware.set_cached_history(key, history, store)
        return is_admitted

    return ask


_IN_REDIS: Final = {
    "limits-moving": _moving,
    "limits-sliding": _sliding,
    "throttled-sliding": _throttled,
    "litestar": _litestar,
}

CASES: Final[Sequence[Case]] = [
    Case(id="peer/limits-memory/sliding", open=ready(_limits_sliding)),
    Case(id="peer/limits-memory/moving", open=ready(_limits_moving)),
    Case(id="peer/throttled-memory/sliding", open=ready(_throttled_sliding)),
    Case(id="peer/pyrate-memory/log", open=ready(_pyrate_log)),
    *(
        Case(id=f"peer/{name}/{n}", open=partial(_in_redis, make, n), kind=Kind.REDIS)
        for name, make in _IN_REDIS.items()
        for n in _IN_FLIGHT
    ),
]
