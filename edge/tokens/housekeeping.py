"""Throwing away what is of no more use, a little at a time, so that no table grows for ever."""

import asyncio
import random
from collections.abc import Callable
from typing import Final, Protocol

from edge.faults import UnavailableError
from edge.uncut import to_its_end

INTERVAL_S: Final = 60.0
# One transaction's worth, short enough that nobody waits long for its locks.
BATCH: Final = 500
_MOST_BATCHES: Final = 20


class Purgeable(Protocol):
    """Something with rows that expire."""

    async def purge(self, most: int) -> int:
        """Delete up to `most` rows that are of no more use; gives how many.

        Raises:
            UnavailableError: the store is away.
        """
        ...


class Housekeeping:
    """Purges each of `purgeables` about once a minute, with bounded work each time.

    `failed` is told of a store that was away.
    """

    def __init__(self, *purgeables: Purgeable, failed: Callable[[UnavailableError], None]) -> None:
        self._purgeables = purgeables
        self._failed = failed

    async def run(self) -> None:
        """Purge for ever; never fails. Replicas started together do not stay together."""
        while True:
            await asyncio.sleep(INTERVAL_S * random.uniform(0.5, 1.5))  # noqa: S311  # no secret
            await to_its_end(self.purge())

    async def purge(self) -> int:
        """Do one round; gives how many rows went."""
        purged = 0
        for purgeable in self._purgeables:
            for _ in range(_MOST_BATCHES):
                try:
                    count = await purgeable.purge(BATCH)
                except UnavailableError as error:
                    self._failed(error)
                    break
                purged += count
                if count < BATCH:
                    break
        return purged
