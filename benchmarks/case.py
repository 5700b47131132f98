"""What a benchmark is: a name, how it is made ready, and a batch that times itself.

A case uses the public interfaces of `edge`, so that the same case can be run with the code of two
commits. It is made ready in the process that measures it.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Final, Literal

import msgspec

Batch = Callable[[int], Awaitable[int]]
"""Does the operation n times and gives the nanoseconds it took; what it checks is not timed.

Raises `WrongResultError` where a result is not the right one: faster because wrong must not pass.
"""


class WrongResultError(Exception):
    """An operation that was measured gave a wrong result."""


class Kind(StrEnum):
    """What a case is made of, which says how noisy it is."""

    MICRO = "micro"  # one process and its CPU
    REDIS = "redis"  # a Redis beside it
    DATABASE = "database"  # SQLite or PostgreSQL
    SERVER = "server"  # a whole server, asked over HTTP
    PROCESS = "process"  # the start of a process


class Margin(msgspec.Struct, frozen=True):
    """Relative changes, 0.02 is 2 %: what is allowed, and what must be found."""

    allowed: float
    target: float


MARGINS: Final = {
    Kind.MICRO: Margin(0.02, 0.05),
    Kind.REDIS: Margin(0.03, 0.08),
    Kind.DATABASE: Margin(0.03, 0.08),
    Kind.SERVER: Margin(0.03, 0.08),
    Kind.PROCESS: Margin(0.03, 0.08),
}


Unit = Literal["ns", "bytes"]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark: `open` makes it ready and is left when it was measured."""

    id: str  # "verify/es256/cold": group first
    open: Callable[[], AbstractAsyncContextManager[Batch]]
    kind: Kind = Kind.MICRO
    gated: bool = False  # one of the core that a change must not make slower
    quick: bool = False  # one of the ten of `--quick`
    of: Sequence[str] = ()  # ids of floors and peers that it is compared with in the same run
    growth: tuple[str, int] | None = None  # ("signing keys", 100): a point of a curve
    unit: Unit = "ns"  # what a batch gives, n times: of memory it gives n times the bytes

    @property
    def group(self) -> str:
        """Give the part of the id before the first slash."""
        return self.id.partition("/")[0]

    @property
    def margin(self) -> Margin:
        """Give what may change without being called a regression, and what must not be missed."""
        return MARGINS[self.kind]
