"""Keeping a process's view of the signing keys fresh, and rotating them by themselves."""

import asyncio
from collections.abc import Awaitable, Callable, Container
from contextlib import suppress
from typing import Final

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.uncut import to_its_end

# Whoever sends tokens with made-up key ids makes us look that often at most.
_LOOKS_APART_S: Final = 1.0


class KeyReloader:
    """The `KeySource` of this Edge's own tokens: reads the keys every `interval_s`, or when woken.

    `load` raises `UnavailableError` or `ValueError` where the keys cannot be read; `failed` is told
    of either, once an outage. `rotate` is called before each look, and does nothing most of the
    time. `clock` is monotonic.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[None]],
        known: Container[str],
        *,
        interval_s: float,
        clock: Callable[[], float],
        failed: Callable[[Exception], None],
        rotate: Callable[[], Awaitable[None]],
    ) -> None:
        self._load = load
        self._known = known
        self._interval_s = interval_s
        self._clock = clock
        self._failed = failed
        self._rotate = rotate
        self._looking: asyncio.Task[None] | None = None
        self._looked_at_s = -_LOOKS_APART_S
        self._failure: UnavailableError | None = None
        self._woken = asyncio.Event()

    async def look_again(self, kid: str) -> bool:
        """Look for a key that somebody else may just have added; any number wait for one look.

        Raises:
            UnavailableError: the keys cannot be read now.
        """
        if self._looking is None and self._clock() - self._looked_at_s >= _LOOKS_APART_S:
            self._looked_at_s = self._clock()
            self._looking = asyncio.create_task(self._look())
        if self._looking is not None:
            await asyncio.shield(self._looking)
        if self._failure is not None:
            raise self._failure
        return kid in self._known

    def wake(self) -> None:
        """Look soon: somebody changed the keys."""
        self._woken.set()

    async def run(self) -> None:
        """Look now and then for ever; never fails."""
        self._woken = asyncio.Event()  # an app that is started again has another event loop
        while True:
            self._woken.clear()
            with suppress(UnavailableError):  # looking will fail as well, and tell
                await to_its_end(self._rotate())
            await to_its_end(self._look())
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s):
                    await self._woken.wait()

    async def _look(self) -> None:
        try:
            await self._load()
        except UnavailableError as error:
            self._fail(error, error)
        except ValueError as error:  # sealed under a secret key that this process does not have
            self._fail(UnavailableError(Reason.SIGNING_UNAVAILABLE), error)
        else:
            self._failure = None
        finally:
            self._looking = None

    def _fail(self, failure: UnavailableError, cause: Exception) -> None:
        if self._failure is None:
            self._failed(cause)
        self._failure = failure
