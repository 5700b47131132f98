"""Connections to Redis: a single one, the master that sentinels name, or a Cluster.

None of them tries again by itself: who asks knows best how long an answer is worth waiting for.
"""

from collections.abc import Awaitable, Callable
from itertools import cycle
from typing import Any, Final

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from edge.stores.redis_url import FILES, SENTINEL_LOGIN, RedisPlace, read_redis_url

# A sentinel answers at once or is not well; the next one is asked then.
_SENTINEL_TIMEOUT_S: Final = 0.2

Address = tuple[str, int]


class _SeekingConnection(Connection):
    """A connection that asks where to go each time it connects."""

    def __init__(self, *, seek: Callable[[], Awaitable[Address]], **options: Any) -> None:  # noqa: ANN401  # redis-py's
        super().__init__(**options)
        self._seek = seek

    async def connect(self) -> None:
        if not self.is_connected:
            self.host, self.port = await self._seek()
        await super().connect()  # type: ignore[no-untyped-call]  # redis-py's is not typed


class _SeekingTlsConnection(_SeekingConnection, SSLConnection):
    pass


def pool(url: str, *, timeout_s: float | None = None) -> ConnectionPool:
    """Give a pool that makes connections; nothing is connected yet.

    To a Cluster they go to any of the nodes in the URL, which is enough for messages. Without
    `timeout_s`, whoever asks has to limit the wait.
    """
    place = read_redis_url(url)
    options = _options(place, timeout_s)
    if place.kind != "single":
        is_tls = options.pop("connection_class", None) is SSLConnection
        options["connection_class"] = _SeekingTlsConnection if is_tls else _SeekingConnection
        options["seek"] = _master_of(place) if place.kind == "sentinel" else _any_of(place)
    return ConnectionPool(**options)


def connection(url: str) -> AbstractConnection:
    """Give a connection to a single Redis or a master, without a time-out; not connected yet."""
    made: AbstractConnection = pool(url).make_connection()  # type: ignore[no-untyped-call]  # redis-py's
    return made


def client(url: str, *, timeout_s: float) -> Redis:
    """Give a client, for commands that do not depend on where a key is."""
    return Redis.from_pool(pool(url, timeout_s=timeout_s))


def cluster(url: str, *, timeout_s: float | None = None) -> RedisCluster:
    """Give a client that knows which node of the Cluster has a key.

    Without `timeout_s`, whoever asks has to limit the wait.
    """
    place = read_redis_url(url)
    options = _options(place, timeout_s)
    options["ssl"] = options.pop("connection_class", None) is SSLConnection
    for name in ("host", "port", "db"):
        options.pop(name, None)
    return RedisCluster(startup_nodes=[ClusterNode(*host) for host in place.hosts], **options)


def _options(place: RedisPlace, timeout_s: float | None) -> dict[str, Any]:
    read = {
        name: value for name, value in parse_url(place.url).items() if name not in SENTINEL_LOGIN
    }
    return read | _patience(timeout_s)


def _patience(timeout_s: float | None) -> dict[str, Any]:
    return {
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
    }


def _master_of(place: RedisPlace) -> Callable[[], Awaitable[Address]]:
    read = parse_url(place.url)
    options = _patience(_SENTINEL_TIMEOUT_S)
    options["ssl"] = read.get("connection_class") is SSLConnection
    options |= {name.removeprefix("sentinel_"): read.get(name) for name in SENTINEL_LOGIN}
    options |= {name: read.get(name) for name in FILES}

    async def seek() -> Address:
        asked = Sentinel(place.hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
        async with asked as sentinels:
            host, port = await sentinels.discover_master(place.master)
            return host, port

    return seek


def _any_of(place: RedisPlace) -> Callable[[], Awaitable[Address]]:
    hosts = cycle(place.hosts)

    async def seek() -> Address:
        return next(hosts)

    return seek
