"""Steps that are not cut off in the middle when what goes on beside requests is ended."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

_Result = TypeVar("_Result")

# A step that waits for a database which is away must not keep the process from ending.
_LONGEST_S: Final = 2.0


async def to_its_end(step: Awaitable[_Result]) -> _Result:
    """Await a step; where that is cancelled, wait until it has ended all the same, or for 2 s.

    A statement that is cut off goes on in the driver's thread, which would then answer an event
    loop that is closed.
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_LONGEST_S)
        task.cancel()
        raise
