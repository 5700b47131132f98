"""A fleet whose ways to Redis and to PostgreSQL lead through proxies of the tests'."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from sqlalchemy.engine import make_url

from tests.support.fleet import Fleet, running_fleet
from tests.support.proxy import TcpProxy, proxy_to
from tests.support.redis import running_redis
from tests.support.rotation import Watched, running_haproxy

_TIMEOUT_S: Final = 20.0
_POLL_S: Final = 0.05
_T = TypeVar("_T")


class Network(msgspec.Struct, frozen=True):
    """The fleet, the HAProxy before it, and what lies between it and its stores."""

    fleet: Fleet
    haproxy: Watched
    to_redis: TcpProxy
    to_database: TcpProxy
    database_url: str

    async def until_well(self) -> None:
        """Wait until both replicas serve, and reach both stores."""
        async with asyncio.timeout(_TIMEOUT_S):
            while not await asyncio.to_thread(self._is_well):  # noqa: ASYNC110  # as seen from outside
                await asyncio.sleep(_POLL_S)

    def _is_well(self) -> bool:
        is_hurt = self.fleet.are_limits_away() or self.fleet.is_database_down()
        return self.haproxy.are_all_in() and not is_hurt

    async def mend(self) -> None:
        """Make all as it was."""
        await self.to_redis.restore()
        await self.to_database.restore()


@asynccontextmanager
async def running_network(
    database_url: str, folder: Path, settings: Mapping[str, str]
) -> AsyncIterator[Network]:
    """Run it; the proxies need the event loop for as long as it runs."""
    stack = ExitStack()

    async def start(what: AbstractContextManager[_T]) -> _T:
        return await asyncio.to_thread(stack.enter_context, what)

    redis = await start(running_redis())
    port = make_url(database_url).port
    assert port is not None
    async with proxy_to(redis.port) as to_redis, proxy_to(port) as to_database:
        try:
            url = make_url(database_url).set(host="127.0.0.1", port=to_database.port)
            given = url.render_as_string(hide_password=False)
            more = {**settings, "REDIS_URL": f"redis://127.0.0.1:{to_redis.port}/0"}
            fleet = await start(running_fleet(given, folder, redis, **more))
            haproxy = await start(running_haproxy(fleet.ports))
            yield Network(fleet, haproxy, to_redis, to_database, database_url)
        finally:
            await asyncio.to_thread(stack.close)
