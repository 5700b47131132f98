"""Verdicts: validity comes before correctness, and that before objectives."""

from dataclasses import replace

import pytest

from loadtests.ledger import Ledger, Row, together
from loadtests.terms import Bound, Objective, Terms
from loadtests.verdict import Measured, Outcome, Run, judge

TERMS = Terms(
    min_requests=100,
    objectives=(
        Objective("verify", "p99_ms", Bound(1, 3)),
        Objective("verify", "error_ratio", Bound(0)),
        Objective("verify", "achieved_ratio", Bound(0.98)),
    ),
)


def a_ledger(*, wrong: int = 0, lag_ms: float = 1, cpu: float = 0.3, answered: int = 100) -> Ledger:
    ledger = Ledger(lag={lag_ms: 100}, cpu=[cpu] * 10)
    ledger.rows["verify"] = Row(arrivals=100, answered=answered)
    for number in range(100):
        ledger.check("verify: right", "401 instead of 200" if number < wrong else "")
    return ledger


GOOD = Run(
    scenario="steady_verify",
    profile="ci",
    planned_s=60,
    elapsed_s=60.2,
    workers_expected=2,
    workers_present=2,
    ledger=a_ledger(),
    measured={"verify": Measured(100, 0, {6.0: 100}), "floor": Measured(10, 0, {2.0: 10})},
    lag={1.0: 100},
    cpu=[0.3] * 10,
)


def test_a_good_run_passes() -> None:
    """And each thing that was looked at is a line."""
    verdict = judge(GOOD, TERMS)
    assert verdict.outcome is Outcome.PASSED
    assert [line.kind for line in verdict.lines] == [
        *["validity"] * 5,
        "correctness",
        *["objective"] * 3,
    ]


@pytest.mark.parametrize(
    ("change", "outcome", "what"),
    [
        ({"workers_present": 1}, Outcome.INVALID, "workers"),
        ({"elapsed_s": 40}, Outcome.INVALID, "seconds run"),
        ({"problems": ("nobody listens",)}, Outcome.INVALID, "nobody listens"),
        ({"measured": {"verify": Measured(99, 0, {6.0: 99})}}, Outcome.INVALID, "requests"),
        ({"lag": {2000.0: 100}}, Outcome.INVALID, "start lag p99, ms"),
        ({"cpu": [0.97] * 10}, Outcome.INVALID, "generator CPU"),
        ({"ledger": a_ledger(wrong=1)}, Outcome.CORRECTNESS_BROKEN, "verify: right"),
        ({"ledger": a_ledger(answered=97)}, Outcome.OBJECTIVES_BROKEN, "verify achieved_ratio"),
    ],
)
def test_what_is_wrong_decides(change: dict[str, object], outcome: Outcome, what: str) -> None:
    """One thing is enough, and it is named."""
    verdict = judge(replace(GOOD, **change), TERMS)  # type: ignore[arg-type]
    assert verdict.outcome is outcome
    assert what in [line.what for line in verdict.lines if not line.holds]


@pytest.mark.parametrize(
    ("verify", "what"),
    [
        (Measured(100, 0, {6.0: 98, 7.01: 2}), "verify p99_ms"),
        (Measured(100, 1, {6.0: 100}), "verify error_ratio"),
    ],
)
def test_an_objective_is_held_against_the_floor_of_the_same_run(
    verify: Measured, what: str
) -> None:
    """With a floor of 2 ms, three times that and one more is 7 ms."""
    run = replace(GOOD, measured={**GOOD.measured, "verify": verify})
    verdict = judge(run, TERMS)
    assert verdict.outcome is Outcome.OBJECTIVES_BROKEN
    assert [line.what for line in verdict.lines if not line.holds] == [what]


@pytest.mark.parametrize("missing", ["floor", "verify"])
def test_what_was_never_asked_is_no_success(missing: str) -> None:
    """Neither a name that nobody asked for nor a multiple of nothing holds."""
    kept = {name: one for name, one in GOOD.measured.items() if name != missing}
    verdict = judge(replace(GOOD, measured=kept), replace(TERMS, min_requests=1))
    assert verdict.outcome is Outcome.OBJECTIVES_BROKEN


def test_validity_comes_first_and_correctness_second() -> None:
    """A run with everything wrong is invalid; one that is valid and wrong twice is incorrect."""
    both = replace(GOOD, ledger=a_ledger(wrong=1, answered=50))
    assert judge(both, TERMS).outcome is Outcome.CORRECTNESS_BROKEN
    assert judge(replace(both, workers_present=0), TERMS).outcome is Outcome.INVALID


def test_one_busy_second_is_no_saturation() -> None:
    """Five in a row are."""
    busy = replace(GOOD, cpu=[0.1, 1.0, 0.1, 0.1, 0.1, 0.1])
    assert judge(busy, TERMS).outcome is Outcome.PASSED
    assert judge(replace(GOOD, cpu=[0.1, *[0.95] * 5, 0.1]), TERMS).outcome is Outcome.INVALID


@pytest.mark.parametrize(
    "change", [{"drifts": {"memory": 1.6}}, {"recoveries": {"Redis hangs": 6.0}}]
)
def test_what_grew_and_what_did_not_recover_breaks_objectives(change: dict[str, object]) -> None:
    """Though everything else was as it should be."""
    verdict = judge(replace(GOOD, **change), TERMS)  # type: ignore[arg-type]
    assert verdict.outcome is Outcome.OBJECTIVES_BROKEN


def test_ledgers_of_workers_add_up() -> None:
    """Counts are added, of the processors the busiest counts; sending them changes nothing."""
    one, other = a_ledger(wrong=2), a_ledger(wrong=1, cpu=0.9, lag_ms=5)
    for ledger in (one, other):
        ledger.admitted["key"] = [(1.0, 2.0)]
        ledger.slot(3).offered = 7
    total = together([Ledger.from_report(one.as_report()), other])
    assert (total.row("verify").arrivals, total.checks["verify: right"].broken) == (200, 3)
    assert total.lag == {1: 100, 5: 100}
    assert total.cpu == [0.9] * 10
    assert len(total.admitted["key"]) == 2
    assert total.slots[3].offered == 14
