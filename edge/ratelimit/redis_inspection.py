"""Looking at single windows in Redis, and emptying them: for operators, never for a request."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from edge.faults import UnavailableError
from edge.ratelimit.charge import Charge, Request, Verdict
from edge.ratelimit.ports import decide
from edge.ratelimit.redis_lanes import open_lanes
from edge.reasons import Reason
from edge.stores.redis import client, cluster
from edge.stores.redis_url import read_redis_url

# A person waits, and a Redis on its knees may take a moment.
_TIMEOUT_S: Final = 5.0


async def look_at(url: str, charges: Sequence[Charge]) -> tuple[Verdict, ...]:
    """Say how windows stand; charges nothing.

    Raises:
        UnavailableError: Redis is away.
    """
    lane, *_ = open_lanes(url)
    try:
        await lane.connect()
        [outcome] = await decide(lane, [Request([charge.of(0) for charge in charges])])
    finally:
        await lane.close()
    return outcome.verdicts


async def empty(url: str, charge: Charge) -> bool:
    """Forget what was charged on a window; says whether there was anything.

    Raises:
        UnavailableError: Redis is away.
    """
    try:
        async with _client(url) as redis:
            return bool(await redis.delete(charge.key))
    except (RedisError, RedisClusterException, OSError) as error:
        raise UnavailableError(Reason.LIMITS_UNAVAILABLE) from error


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[Redis | RedisCluster]:
    is_cluster = read_redis_url(url).kind == "cluster"
    redis = cluster(url, timeout_s=_TIMEOUT_S) if is_cluster else client(url, timeout_s=_TIMEOUT_S)
    try:
        yield redis
    finally:
        await redis.aclose()
