"""What the limiter needs from the outside."""

from collections.abc import Awaitable, Sequence
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


class Lane(Protocol):
    """A connection to a shared store, which does one thing at a time.

    `connect` and `finish` raise `UnavailableError` when the store is away. They may be cancelled:
    what then still arrives is never taken for a later answer.
    """

    async def connect(self) -> None: ...

    def begin(self, requests: Sequence[Request]) -> None:
        """Begin a round trip, which decides several requests, each by itself; waits for nothing."""
        ...

    async def finish(self) -> list[Outcome]:
        """Give what the round trip that was begun has decided."""
        ...

    async def close(self) -> None: ...
