"""From what a survey found to the report of a run."""

from collections.abc import Iterator, Sequence

from benchmarks.harness.protocol import Described
from benchmarks.harness.running import Found
from benchmarks.results import GrowthPoint, Interval, Measured, Ratio
from benchmarks.selection import FLOOR
from benchmarks.statistics import estimate

_NOT_MEASURED = Interval(0.0, 0.0, 0.0)


def measured(found: Found, registry: Sequence[Described]) -> list[Measured]:
    """Give the time of each case that was measured or failed, in the order of the registry."""
    return [
        Measured(
            id=case.id,
            group=case.group,
            kind=case.kind,
            ns=_interval(found, case.id),
            error=found.errors.get(case.id),
            unit=case.unit,
        )
        for case in registry
        if case.id in found.log_ns or case.id in found.errors
    ]


def ratios(found: Found) -> list[Ratio]:
    """Give how many times as long each case takes as its floors and peers."""
    return [
        Ratio(
            case=case,
            reference=reference,
            relation="floor" if reference.partition("/")[0] == FLOOR else "peer",
            times=estimate(log_times).interval,
        )
        for (case, reference), log_times in found.log_times.items()
        if case not in found.errors and reference not in found.errors
    ]


def growth(found: Found, registry: Sequence[Described]) -> list[GrowthPoint]:
    """Give the points of curves."""
    return list(_points(found, registry))


def _points(found: Found, registry: Sequence[Described]) -> Iterator[GrowthPoint]:
    for case in registry:
        if case.growth and case.id in found.log_ns and case.id not in found.errors:
            curve, size = case.growth
            yield GrowthPoint(curve, size, _interval(found, case.id))


def _interval(found: Found, case: str) -> Interval:
    if case in found.errors:
        return _NOT_MEASURED
    return estimate(found.log_ns[case]).interval
