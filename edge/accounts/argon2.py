"""Argon2id on threads of its own, as many at a time as there are slots.

A hash takes a core and tens of MiB for a tenth of a second: on the event loop it would stop every
request, and without a bound a flood of logins would take all memory.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import argon2

from edge.faults import UnavailableError
from edge.reasons import Reason

_RETRY_AFTER_S: Final = 2

_Result = TypeVar("_Result")


class Argon2Hasher:
    """Lives as long as the process; `close()` waits for the hashes under way.

    Between two closes, use it on one event loop only. `refused` is told of each hash for which no
    slot came free in time.
    """

    def __init__(
        self,
        *,
        time_cost: int,
        memory_kib: int,
        parallelism: int,
        concurrency: int,
        queue_timeout_s: float,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism
        )
        self._concurrency = concurrency
        self._queue_timeout_s = queue_timeout_s
        self._refused = refused
        self.waiting = 0
        self.running = 0
        self._open()

    async def hash(self, password: str) -> str:
        """Hash a password.

        Raises:
            UnavailableError: no slot came free in time.
        """
        return await self._run(self._hasher.hash, password)

    async def verify(self, password_hash: str, password: str) -> bool:
        """Compare a password with a hash; False also for a hash that is not one of argon2.

        Raises:
            UnavailableError: no slot came free in time.
        """
        return await self._run(self._verify, password_hash, password)

    def is_outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown()
        self._open()

    def _open(self) -> None:
        # No thread runs before the first hash, and no event loop is bound before the first wait.
        self._slots = asyncio.Semaphore(self._concurrency)
        self._threads = ThreadPoolExecutor(self._concurrency, thread_name_prefix="argon2")

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        except UnicodeEncodeError:  # hashes are ASCII, and this one is not
            return False

    async def _run(self, work: Callable[..., _Result], *arguments: str) -> _Result:
        await self._take_slot()
        loop = asyncio.get_running_loop()
        future = self._threads.submit(work, *arguments)
        # The slot is the thread's: a caller who gave up does not free it, the end of the hash does.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._free, self._slots))
        return await asyncio.wrap_future(future)

    async def _take_slot(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(self._queue_timeout_s):
                await self._slots.acquire()
        except TimeoutError:
            self._refused()
            raise UnavailableError(
                Reason.HASHING_OVERLOADED, retry_after_s=_RETRY_AFTER_S
            ) from None
        finally:
            self.waiting -= 1
        self.running += 1

    def _free(self, slots: asyncio.Semaphore) -> None:
        self.running -= 1
        slots.release()
