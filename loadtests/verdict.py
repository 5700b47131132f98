"""Whether a run is valid, whether Edge was right, and whether it kept its objectives.

In that order: of a run that is not valid nothing is said, and being fast with wrong answers is not
being fast.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from loadtests.capacity import Capacity
from loadtests.histogram import Histogram, percentile
from loadtests.ledger import Ledger
from loadtests.terms import Objective, Terms

FLOOR: Final = "floor"  # the name of the requests that cost Edge the least
_CPU_WINDOW_S: Final = 5  # one busy second is no saturation


class Outcome(IntEnum):
    """Exit codes; 2 is for a command that is wrong, as everywhere."""

    PASSED = 0
    OBJECTIVES_BROKEN = 1
    CORRECTNESS_BROKEN = 3
    INVALID = 4


@dataclass(frozen=True)
class Measured:
    """One name in the statistics: latencies are from when a request was due."""

    requests: int
    failures: int
    latency: Histogram


@dataclass(frozen=True)
class Run:
    """All that is known of a run when it is judged.

    `planned_s` is None where nobody said how long it was to take. `lag` and `cpu` are those of the
    generator, of a run of steps until the knee. `problems` are reasons for which the run cannot be
    valid, found by who knows them. `drifts` are by what something grew, `recoveries` are seconds.
    """

    scenario: str
    profile: str
    planned_s: float | None
    elapsed_s: float
    workers_expected: int
    workers_present: int
    ledger: Ledger
    measured: Mapping[str, Measured]
    lag: Mapping[float, int]
    cpu: Sequence[float]
    problems: tuple[str, ...] = ()
    drifts: Mapping[str, float] = field(default_factory=dict)
    recoveries: Mapping[str, float] = field(default_factory=dict)
    capacity: Capacity | None = None


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    kind: str
    what: str
    wanted: str
    found: str
    holds: bool


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    lines: tuple[Line, ...] = field(default=())


def judge(run: Run, terms: Terms) -> Verdict:
    validity = tuple(_validity(run, terms))
    correctness = tuple(_correctness(run, terms))
    objectives = tuple(_objectives(run, terms))
    order = [
        (validity, Outcome.INVALID),
        (correctness, Outcome.CORRECTNESS_BROKEN),
        (objectives, Outcome.OBJECTIVES_BROKEN),
    ]
    for lines, outcome in order:
        if not all(line.holds for line in lines):
            return Verdict(outcome, validity + correctness + objectives)
    return Verdict(Outcome.PASSED, validity + correctness + objectives)


def _validity(run: Run, terms: Terms) -> Iterator[Line]:
    for problem in run.problems:
        yield Line("validity", problem, "", "", holds=False)
    yield _at_least("workers", run.workers_expected, run.workers_present)
    yield _at_least("requests", terms.min_requests, sum(m.requests for m in run.measured.values()))
    if run.planned_s is not None:
        # Shapes look at the clock once a second.
        yield _at_least("seconds run", round(run.planned_s - 1), round(run.elapsed_s))
    lag_ms = percentile(run.lag, 0.99)
    yield _at_most("validity", "start lag p99, ms", terms.start_lag_p99_ms, lag_ms)
    yield _at_most("validity", "generator CPU", terms.generator_cpu, _highest(run.cpu))


def _highest(cpu: Sequence[float]) -> float:
    """Give the busiest few seconds in a row."""
    windows = range(max(len(cpu) - _CPU_WINDOW_S + 1, 1))
    means = [
        sum(window) / len(window)
        for window in (cpu[start : start + _CPU_WINDOW_S] for start in windows)
        if window
    ]
    return max(means, default=0.0)


def _correctness(run: Run, terms: Terms) -> Iterator[Line]:
    for name, check in sorted(run.ledger.checks.items()):
        total = check.held + check.broken
        found = f"{check.broken} of {total}" + "".join(f"; {one}" for one in check.examples[:1])
        holds = check.broken <= terms.max_wrong
        yield Line("correctness", name, f"{terms.max_wrong} wrong", found, holds)


def _objectives(run: Run, terms: Terms) -> Iterator[Line]:
    """Overload is what a run of steps is for: it has no objectives."""
    if run.capacity is None:
        yield from (_objective(run, one) for one in terms.objectives)
    for what, ratio in run.drifts.items():
        name = f"{what}, last third to the one before"
        yield _at_most("objective", name, terms.max_drift, ratio)
    for name, seconds in run.recoveries.items():
        yield _at_most("objective", f"seconds noticed: {name}", terms.recovery_s, seconds)


def _objective(run: Run, objective: Objective) -> Line:
    what = f"{objective.name} {objective.what}"
    measured = run.measured.get(objective.name)
    if measured is None or not measured.requests:
        return Line("objective", what, "", "never asked", holds=False)
    if objective.share is not None:
        floor = run.measured.get(FLOOR)
        if objective.bound.factor and floor is None:
            return Line("objective", what, "", "no floor was measured", holds=False)
        floor_ms = percentile(floor.latency, 0.5) if floor else 0.0
        found = percentile(measured.latency, objective.share)
        return _at_most("objective", what, objective.bound.at(floor_ms), found)
    bound = objective.bound.at(0)
    if objective.what == "error_ratio":
        return _at_most("objective", what, bound, measured.failures / measured.requests)
    row = run.ledger.row(objective.name)
    found = row.answered / row.arrivals if row.arrivals else 0.0
    return Line("objective", what, f">= {bound:.3g}", f"{found:.3g}", found >= bound)


def _at_least(what: str, wanted: int, found: int) -> Line:
    return Line("validity", what, f">= {wanted}", str(found), found >= wanted)


def _at_most(kind: str, what: str, wanted: float, found: float) -> Line:
    return Line(kind, what, f"<= {wanted:.3g}", f"{found:.3g}", found <= wanted)
