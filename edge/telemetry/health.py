"""Health: is this process ready, and how are the things it depends on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from edge.telemetry.draining import Draining

# Shorter than load balancers wait: what hangs must not turn all replicas red at once.
_CHECK_TIMEOUT_S: Final = 0.25
# Longer than the waits of a database for a connection and for a statement together, by default.
_LONGEST_CHECK_S: Final = 15.0


class Readiness(msgspec.Struct, frozen=True):
    """Whether this process can serve, and the state of each dependency: `up` or `down`.

    `ready` is about this process alone: a shared dependency that is down must not turn every
    replica red at once. One that is `draining` serves what comes, and is not ready.
    """

    ready: bool
    draining: bool
    dependencies: dict[str, str]


class _Check:
    """A check that takes its time: who does not wait for it leaves it to whoever asks next.

    One that is broken off would cost a connection, just when connections are hard to come by.
    """

    def __init__(self, check: Callable[[], Awaitable[None]]) -> None:
        self._check = check
        self._running: asyncio.Task[bool] | None = None

    async def state(self) -> str:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._is_up())
        await asyncio.wait({self._running}, timeout=_CHECK_TIMEOUT_S)
        return "up" if self._running.done() and self._running.result() else "down"

    async def close(self) -> None:
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _is_up(self) -> bool:
        try:
            async with asyncio.timeout(_LONGEST_CHECK_S):
                await self._check()
        except Exception:  # noqa: BLE001  # whatever it is, the dependency does not answer
            return False
        return True


class Health:
    """The checks, each registered where the thing it checks is opened."""

    def __init__(self, draining: Draining) -> None:
        self._draining = draining
        self._checks: dict[str, _Check] = {}
        self._is_ready = False

    def add(self, name: str, check: Callable[[], Awaitable[None]]) -> None:
        """Register a dependency; `check` raises where it is down."""
        self._checks[name] = _Check(check)

    async def close(self) -> None:
        """End the checks that are under way; what they ask is closed next."""
        await asyncio.gather(*(check.close() for check in self._checks.values()))

    def set_ready(self, *, ready: bool) -> None:
        self._is_ready = ready

    async def readiness(self) -> Readiness:
        states = await asyncio.gather(*(check.state() for check in self._checks.values()))
        is_draining = self._draining.is_on
        return Readiness(
            self._is_ready and not is_draining,
            is_draining,
            dict(zip(self._checks, states, strict=True)),
        )
