"""Targets: what should be reached, and what a run says of it."""

import pytest

from benchmarks.cases import CASES
from benchmarks.report import performance
from benchmarks.results import Interval, Ratio, Report
from benchmarks.targets import TARGETS, Target, outcomes
from tests.support.benchmark_results import measured, ran

OF = {case.id: case.of for case in CASES}


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: f"{one.case} {one.reference}")
def test_each_target_is_measured(target: Target) -> None:
    """By a case that takes turns with what the target compares it with."""
    assert target.case in OF
    assert not target.reference or target.reference in OF[target.case]


def report(target: Target, ns: float, times: Interval, error: str | None = None) -> Report:
    return Report(
        environment=ran().environment,
        side=ran().side,
        cases=[measured(target.case, ns, error)],
        ratios=[Ratio(target.case, target.reference, "floor", times)] if target.reference else [],
    )


def target(measure: str) -> Target:
    return next(one for one in TARGETS if one.measure == measure)


@pytest.mark.parametrize(
    ("measure", "times", "found", "answer"),
    [
        ("speed", Interval(0.25, 0.2, 0.3), 4.0, "reached"),
        ("speed", Interval(0.25, 0.2, 0.4), 4.0, "not known"),
        ("speed", Interval(0.5, 0.4, 0.6), 2.0, "missed"),
        ("cost", Interval(2.0, 1.9, 2.1), 2.0, "reached"),
        ("cost", Interval(2.0, 1.9, 3.1), 2.0, "not known"),
        ("cost", Interval(4.0, 3.9, 4.1), 4.0, "missed"),
        ("above_us", Interval(1.25, 1.2, 1.3), 4.0, "reached"),
        ("above_us", Interval(1.25, 1.2, 2.0), 4.0, "not known"),
        ("above_us", Interval(4.0, 3.0, 5.0), 15.0, "missed"),
    ],
)
def test_a_target_is_reached_where_the_whole_interval_says_so(
    measure: str, times: Interval, found: float, answer: str
) -> None:
    """Of 20 us: so many times as fast, so many times as much, or so many us more."""
    bounds = {"speed": 3.0, "cost": 3.0, "above_us": 8.0}
    one = Target("a/b", target(measure).measure, bounds[measure], "floor/c")
    (outcome,) = outcomes(report(one, 20_000.0, times), [one])

    assert outcome.found.low <= outcome.found.value <= outcome.found.high
    assert outcome.found.value == pytest.approx(found)
    assert outcome.answer == answer


@pytest.mark.parametrize(("ns", "answer"), [(1900.0, "reached"), (2000.0, "not known")])
def test_a_rate_is_a_second_by_what_one_takes(ns: float, answer: str) -> None:
    """500,000 a second are 2 us each."""
    one = target("rate")
    (outcome,) = outcomes(report(one, ns, Interval(1, 1, 1)), [one])

    assert outcome.found.value == pytest.approx(1e9 / ns)
    assert outcome.answer == answer


def test_what_failed_or_was_not_measured_is_no_outcome() -> None:
    """A zero is no time."""
    assert outcomes(report(target("rate"), 0.0, Interval(0, 0, 0), "it is away")) == []
    assert outcomes(report(target("cost"), 0.0, Interval(0, 0, 0), "it is away")) == []


def test_a_document_shows_targets_beside_what_was_found() -> None:
    """A row for each, in which one that is not reached stands out."""
    one = target("cost")
    run = report(one, 1.0, Interval(3.5, 3.4, 3.6))
    shown = performance(run, "<!-- edge-bench: targets -->\n<!-- edge-bench: end -->\n")

    assert (
        "| `process/start` | `floor/import` | at most 3 x as much | 3.5 | 3.4 .. 3.6 | **missed** |"
    ) in shown
