"""Waking the readers of other processes through Redis: faster than the bound, never needed."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final

from redis.exceptions import RedisError

from edge.stores.redis import client

_CHANNEL: Final = "edge:revocations"
_TIMEOUT_S: Final = 1.0
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0


class RedisWake:
    """Publishes that something was revoked, and listens for others who do."""

    def __init__(self, url: str) -> None:
        self._redis = client(url, timeout_s=_TIMEOUT_S)
        self._publishing: set[asyncio.Task[None]] = set()

    async def publish(self) -> None:
        """Tell the others, without waiting for Redis; whether it hears is not our concern."""
        task = asyncio.create_task(self._publish())
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` for each message, for ever; never fails."""
        pause_s = _FIRST_PAUSE_S
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(_CHANNEL)
                    pause_s = _FIRST_PAUSE_S
                    wake()  # something may have been said before
                    while True:
                        if await channel.get_message(ignore_subscribe_messages=True, timeout=None):
                            wake()
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # no secret
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def ping(self) -> None:
        """Ask Redis for a sign of life; raises where there is none."""
        await self._redis.ping()

    async def close(self) -> None:
        for task in tuple(self._publishing):
            await task
        await self._redis.aclose()

    async def _publish(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._redis.publish(_CHANNEL, b"")
