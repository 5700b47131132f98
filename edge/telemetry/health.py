"""Health: is this process ready, and how are the things it depends on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from edge.telemetry.draining import Draining

# Shorter than load balancers wait: what hangs must not turn all replicas red at once.
_CHECK_TIMEOUT_S: Final = 0.25


class Readiness(msgspec.Struct, frozen=True):
    """Whether this process can serve, and the state of each dependency: `up` or `down`.

    `ready` is about this process alone: a shared dependency that is down must not turn every
    replica red at once. One that is `draining` serves what comes, and is not ready.
    """

    ready: bool
    draining: bool
    dependencies: dict[str, str]


class Health:
    """The checks, each registered where the thing it checks is opened."""

    def __init__(self, draining: Draining) -> None:
        self._draining = draining
        self._checks: dict[str, Callable[[], Awaitable[None]]] = {}
        self._is_ready = False

    def add(self, name: str, check: Callable[[], Awaitable[None]]) -> None:
        """Register a dependency; `check` raises where it is down."""
        self._checks[name] = check

    def set_ready(self, *, ready: bool) -> None:
        self._is_ready = ready

    async def readiness(self) -> Readiness:
        states = await asyncio.gather(*map(_state, self._checks.values()))
        is_draining = self._draining.is_on
        return Readiness(
            self._is_ready and not is_draining,
            is_draining,
            dict(zip(self._checks, states, strict=True)),
        )


async def _state(check: Callable[[], Awaitable[None]]) -> str:
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S):
            await check()
    except Exception:  # noqa: BLE001  # whatever it is, the dependency does not answer
        return "down"
    return "up"
