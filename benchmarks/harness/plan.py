"""How long a batch is and how many there are, by what a case is made of."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from benchmarks.case import Kind

_MS: Final = 1_000_000
_CALIBRATIONS: Final = 3
# One batch in calibration may be this much longer than the last: the first one is often slow.
_MOST_GROWTH: Final = 16


class Plan(msgspec.Struct, frozen=True):
    """Batches of one case in one process, on each side."""

    batch_ns: int
    batches: int
    first: int  # operations of the first batch, which finds out how many fit
    has_warm_up: bool = False


# Small batches let both sides meet the same noise: 4 ms had the least of it (docs/benchmarks.md).
# Batches with a Redis or a server in them need more operations than the requests in flight.
PLANS: Final[Mapping[Kind, Plan]] = {
    Kind.MICRO: Plan(4 * _MS, 100, 1, has_warm_up=True),
    Kind.REDIS: Plan(40 * _MS, 30, 512),
    Kind.DATABASE: Plan(40 * _MS, 30, 1),
    Kind.SERVER: Plan(110 * _MS, 12, 512),
    Kind.PROCESS: Plan(0, 6, 1),  # each operation is a start
}

_QUICK_SHARE: Final = 0.4


def quick(plan: Plan) -> Plan:
    """Give the plan with fewer batches."""
    return msgspec.structs.replace(plan, batches=max(1, int(plan.batches * _QUICK_SHARE)))


def warm_up(plan: Plan, n: int) -> int:
    """Give how many operations go before a batch: the other side had the caches."""
    return n // 20 if plan.has_warm_up else 0


def calibrate(batch: Callable[[int], int], plan: Plan) -> int:
    """Find how many operations a batch of the plan takes."""
    if not plan.batch_ns:
        return plan.first
    n, took_ns = plan.first, batch(plan.first)
    while took_ns < plan.batch_ns / 2:
        n *= min(_MOST_GROWTH, plan.batch_ns // took_ns + 1)
        took_ns = batch(n)
    took_ns = sorted(batch(n) for _ in range(_CALIBRATIONS))[_CALIBRATIONS // 2]
    return max(1, round(n * plan.batch_ns / took_ns))
