"""Waking readers through a real Redis, which may go and come back."""

import asyncio
from collections.abc import Iterator

import pytest
from redis.exceptions import RedisError

from edge.tokens.redis import RedisWake
from tests.support.redis import Redis, running_redis

_DEADLINE_S = 20


@pytest.fixture
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


async def wait_for_wake(speaker: RedisWake, woken: asyncio.Event) -> None:
    """Publish until somebody hears it: a message to nobody is lost, as it may be."""
    woken.clear()
    async with asyncio.timeout(_DEADLINE_S):
        while not woken.is_set():
            await speaker.publish()
            try:
                async with asyncio.timeout(0.1):
                    await woken.wait()
            except TimeoutError:
                continue


async def test_what_one_process_publishes_wakes_another(redis: Redis) -> None:
    """A message of one connection reaches the listener of another, also after Redis was away."""
    speaker, listener = RedisWake(redis.url), RedisWake(redis.url)
    woken = asyncio.Event()
    listening = asyncio.create_task(listener.listen(woken.set))
    try:
        await wait_for_wake(speaker, woken)
        await asyncio.to_thread(redis.stop)
        await speaker.publish()
        with pytest.raises(RedisError):
            await speaker.ping()
        await asyncio.to_thread(redis.start)
        await wait_for_wake(speaker, woken)
        assert not listening.done()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await speaker.close()
        await listener.close()
