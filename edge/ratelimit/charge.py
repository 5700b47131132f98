"""What a request costs by which quotas, and what the windows say to it."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

Algorithm = Literal["log", "counter"]

SUB_WINDOWS: Final = 10


class Quota(msgspec.Struct, frozen=True):
    """At most `limit` units in any window of `window_us` microseconds.

    `log` remembers every unit and is exact. `counter` remembers ten sub-windows in constant memory:
    it never admits more than `limit` in a window, and may hold a unit for up to 1.1 windows; its
    `window_us` is a multiple of `SUB_WINDOWS`.
    """

    algorithm: Algorithm
    limit: int
    window_us: int


class Charge(msgspec.Struct, frozen=True, gc=False):
    """`cost` units on the window `key`; a cost of 0 only asks.

    A shadow is decided like the others, yet it never refuses, and is charged only where it fits.
    """

    key: bytes
    quota: Quota
    cost: int = 1
    is_shadow: bool = False

    def of(self, cost: int) -> "Charge":
        """Give a charge of so much on the same window."""
        return Charge(self.key, self.quota, cost, self.is_shadow)


class Request(msgspec.Struct, frozen=True, gc=False):
    """Charges to be made together, or those made at `given_back_at_us` to be taken back."""

    charges: Sequence[Charge]
    given_back_at_us: int = 0


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What one window says to a cost, and how it stands after the decision.

    `reset_after_us` is when all of the quota is free again at the latest, `retry_after_us` when
    the cost will fit: 0 where it fits now, None where waiting does not help.
    """

    remaining: int
    reset_after_us: int
    retry_after_us: int | None

    @property
    def fits(self) -> bool:
        return self.retry_after_us == 0


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The verdicts on the charges of one request, in their order.

    All charges were made, or none. Only a Cluster, whose nodes decide one after the other, stops at
    the first that refuses: it gives no verdicts on what comes after, and what came before stays.
    `times_us` is when each was decided by the store's clock, by which it can be given back.
    """

    is_admitted: bool
    verdicts: tuple[Verdict, ...]
    times_us: tuple[int, ...]


class Charged(msgspec.Struct, frozen=True, gc=False):
    """A charge that was made, and when by the store's clock."""

    charge: Charge
    at_us: int
