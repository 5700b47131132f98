"""Clients that hold connections and hardly use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_PAUSE_S: Final = 0.25

NOTHING: Final = b""
# What each begins with; then a byte follows from time to time.
HEAD: Final = b"GET /user-area HTTP/1.1\r\nHost: edge.test\r\nX-Slow: "
BODY: Final = (
    b"POST /login HTTP/1.1\r\nHost: edge.test\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n"
)


@asynccontextmanager
async def holding(port: int, count: int, begun: bytes) -> AsyncIterator[None]:
    """Hold so many connections for as long as the block lasts; none is read from."""
    opening = [asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    writers = [writer for _, writer in await asyncio.gather(*opening)]
    for writer in writers:
        writer.write(begun)
    dripping = asyncio.create_task(_drip(writers if begun else []))
    try:
        yield
    finally:
        dripping.cancel()
        for writer in writers:
            writer.transport.abort()


async def _drip(writers: list[asyncio.StreamWriter]) -> None:
    while True:
        await asyncio.sleep(_PAUSE_S)
        for writer in writers:
            if not writer.is_closing():
                writer.write(b"x")
