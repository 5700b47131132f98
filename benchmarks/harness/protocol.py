"""What the driver asks a worker process, and what that answers: a line of JSON each."""

from typing import Final

import msgspec

from benchmarks.case import Case, Kind, Unit

ANY_CPU: Final = "any"  # for a worker, in the place of a number


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Make a case ready."""

    case: str


class Run(msgspec.Struct, frozen=True, tag="run"):
    """Do the operation `warm_up` times, and then n times with the clock running."""

    case: str
    n: int
    warm_up: int


class Close(msgspec.Struct, frozen=True, tag="close"):
    """Leave all cases that are ready."""


Request = Open | Run | Close


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The worker is up; `product` is the code it measures."""

    product: str


class Took(msgspec.Struct, frozen=True, tag="took"):
    """A batch was done."""

    ns: int


class Done(msgspec.Struct, frozen=True, tag="done"):
    """A case was opened or closed."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It could not be done; `trace` is for the terminal."""

    error: str
    trace: str


Answer = Hello | Took | Done | Failed


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """All of a case that is not code."""

    id: str
    kind: Kind
    gated: bool
    quick: bool
    of: list[str]
    growth: tuple[str, int] | None
    unit: Unit

    @property
    def group(self) -> str:
        """Give the part of the id before the first slash."""
        return self.id.partition("/")[0]


def describe(case: Case) -> Described:
    """Give what the driver has to know of a case."""
    return Described(
        id=case.id,
        kind=case.kind,
        gated=case.gated,
        quick=case.quick,
        of=list(case.of),
        growth=case.growth,
        unit=case.unit,
    )
