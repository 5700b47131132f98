"""What the limiter needs from the outside."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from edge.ratelimit.charge import Charge, Charged, Outcome, Request


class Windows(Protocol):
    """Where windows are kept. Every method raises `UnavailableError` when that is away."""

    def decide(self, charges: Sequence[Charge]) -> Awaitable[Outcome]:
        """Charge all of them or, where one does not fit, none; shadows only where they fit.

        Shadows come last: a Cluster decides in the order it is given.
        """
        ...

    async def give_back(self, charged: Sequence[Charged]) -> None:
        """Take back what was charged."""
        ...


# Called once, with what was decided or with what went wrong.
Done = Callable[[Sequence[Outcome] | Exception], None]


class Lane(Protocol):
    """A connection to a shared store, which does one thing at a time."""

    async def connect(self) -> None:
        """Connect anew; may be cancelled.

        Raises:
            UnavailableError: the store is away.
        """
        ...

    def begin(self, requests: Sequence[Request], done: Done) -> None:
        """Begin a round trip, which decides several requests, each by itself; waits for nothing."""
        ...

    def abort(self) -> None:
        """End the round trip, which takes too long: what still arrives is nobody's."""
        ...

    async def close(self) -> None: ...


async def decide(lane: Lane, requests: Sequence[Request]) -> Sequence[Outcome]:
    """Decide in one round trip, and wait for it.

    Raises:
        UnavailableError: the store is away, or does not want to decide.
    """
    done = asyncio.get_running_loop().create_future()
    lane.begin(requests, lambda decided: None if done.done() else done.set_result(decided))
    try:
        decided: Sequence[Outcome] | Exception = await done
    except asyncio.CancelledError:
        lane.abort()
        raise
    if isinstance(decided, Exception):
        raise decided
    return decided
