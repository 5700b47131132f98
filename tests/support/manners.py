"""In which ways a proxy passes an answer on; one that raises has ended the connection."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

Manner = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]


async def whole(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def halved(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Break off in the middle."""
    await whole(writer, data[: len(data) // 2])
    raise ConnectionAbortedError


async def not_at_all(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Reset the connection instead."""
    writer.transport.abort()
    raise ConnectionAbortedError


async def for_the_last_time(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Say that nothing follows, and go on listening."""
    await whole(writer, data)
    writer.write_eof()


def late(seconds: float) -> Manner:
    async def pass_on(writer: asyncio.StreamWriter, data: bytes) -> None:
        await asyncio.sleep(seconds)
        await whole(writer, data)

    return pass_on


def drop_by_drop(pause_s: float) -> Manner:
    """Pass on one byte at a time."""

    async def pass_on(writer: asyncio.StreamWriter, data: bytes) -> None:
        for place in range(len(data)):
            await whole(writer, data[place : place + 1])
            await asyncio.sleep(pause_s)

    return pass_on


def every(count: int, manner: Manner) -> Manner:
    """Pass on all answers well but each so many-th, of all connections together."""
    numbers = itertools.count(1)

    async def pass_on(writer: asyncio.StreamWriter, data: bytes) -> None:
        await (manner if next(numbers) % count == 0 else whole)(writer, data)

    return pass_on
