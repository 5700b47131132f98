"""The rules by which a case is called slower, against tables and by simulation.

The simulations draw normal log ratios. 1.3 % is how much the pairs of micro cases scatter on a
shared 2-core machine, 2.6 % those of cases with a Redis or a server, whose margin is 3 % and whose
target 8 %; 4 % is what a bad day does to micro cases. Seeds are fixed: the figures below are of
these draws, and the bounds leave room for the error of that many.
"""

import math
from random import Random

import pytest

from benchmarks.case import Margin
from benchmarks.resampling import Rate, false_alarms, found, normal, play, resampled
from benchmarks.results import Verdict
from benchmarks.statistics import (
    Estimate,
    confirming_pairs,
    estimate,
    is_off,
    log_ratio,
    needs_confirmation,
    student_quantile,
    trimmed_mean,
    verdict,
)

MICRO = Margin(0.02, 0.05)
SERVER = Margin(0.03, 0.08)


def between(low: float, high: float) -> Estimate:
    """Make an estimate whose bounds are these changes: 0.05 is 5 % slower."""
    low, high = math.log1p(low), math.log1p(high)
    return Estimate(mean=(low + high) / 2, sd=0.01, low=low, high=high)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [
        (1, 31.821),
        (2, 6.965),
        (3, 4.541),
        (7, 2.998),
        (11, 2.718),
        (19, 2.539),
        (30, 2.457),
        (120, 2.358),
    ],
)
def test_student_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    """One-sided, 99 %."""
    assert student_quantile(freedom) == pytest.approx(quantile, abs=0.0006)


def test_a_fifth_on_either_side_does_not_count() -> None:
    """However far away it is."""
    assert trimmed_mean([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) == pytest.approx(5.5)
    assert trimmed_mean([-1e9, -1e9, 3, 4, 5, 6, 7, 8, 1e9, 1e9]) == pytest.approx(5.5)
    assert trimmed_mean([4]) == 4


def test_a_pause_of_one_side_does_not_make_it_slower() -> None:
    """One in five batches may be hit by something else."""
    base_ns = [1000] * 10
    head_ns = [1050] * 8 + [90_000, 1050]
    assert math.exp(log_ratio(base_ns, head_ns)) == pytest.approx(1.05)


def test_the_true_change_is_below_the_lower_bound_once_in_a_hundred() -> None:
    """100,000 estimates of 8 normal pairs; one in a hundred each way."""
    random = Random(1)
    of = 100_000
    estimates = (estimate([random.gauss(0, 0.013) for _ in range(8)]) for _ in range(of))
    outside = [(one.low > 0, one.high < 0) for one in estimates]
    for side in zip(*outside, strict=True):
        assert sum(side) / of == pytest.approx(0.01, abs=0.001)


def test_one_pair_says_nothing() -> None:
    """How much pairs scatter takes two."""
    with pytest.raises(ValueError, match="scatter"):
        estimate([0.1])


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.021, 0.30, Verdict.REGRESSED),
        (0.021, 0.04, Verdict.REGRESSED),  # little, and sure
        (0.019, 0.30, Verdict.INCONCLUSIVE),
        (-0.30, 0.051, Verdict.INCONCLUSIVE),
        (0.019, 0.049, Verdict.OK),
        (-0.30, 0.049, Verdict.OK),  # in whatever way it scatters, it is not 5 % slower
        (-0.30, -0.019, Verdict.OK),
        (-0.30, -0.021, Verdict.IMPROVED),
    ],
)
def test_verdicts_follow_the_bounds(low: float, high: float, said: Verdict) -> None:
    """Slower if surely more than the margin; as fast if surely less than the target."""
    assert verdict(between(low, high), MICRO) is said


@pytest.mark.parametrize(
    ("low", "high", "is_needed"),
    [
        (-0.01, 0.049, False),
        (0.001, 0.01, True),  # it is slower, if only a little
        (-0.01, 0.051, True),  # it may be 5 % slower
        (-0.04, -0.021, True),  # it would be called faster
        (-0.04, -0.019, False),
    ],
)
def test_a_suspicion_needs_confirmation(low: float, high: float, *, is_needed: bool) -> None:
    """So does what would be called faster; what is neither has its verdict at once."""
    assert needs_confirmation(between(low, high), MICRO) is is_needed


@pytest.mark.parametrize(("sd", "pairs"), [(0.001, 12), (0.02, 12), (0.021, 20)])
def test_what_scatters_more_is_confirmed_by_more_pairs(sd: float, pairs: int) -> None:
    """Twelve fresh pairs, or twenty."""
    assert confirming_pairs(Estimate(0.05, sd, 0.04, 0.06)) == pairs


@pytest.mark.parametrize(
    ("control", "is_it"),
    [
        (Estimate(0.009, 0.01, 0.005, 0.013), False),  # surely other, and not by much
        (Estimate(0.02, 0.03, -0.01, 0.05), False),  # by much, and not surely
        (Estimate(0.012, 0.01, 0.003, 0.021), True),
        (Estimate(-0.012, 0.01, -0.021, -0.003), True),
        (Estimate(0.0, 0.041, -0.04, 0.04), True),  # too much scatter to tell anything
    ],
)
def test_the_control_is_off_if_base_differs_from_itself(control: Estimate, *, is_it: bool) -> None:
    """Or if it scatters too much."""
    assert is_off(control) is is_it


def test_where_margins_are_wider_the_control_may_differ_by_more() -> None:
    """Processes that wander between CPUs differ from themselves."""
    control = Estimate(0.02, 0.06, 0.005, 0.035)
    assert is_off(control)
    assert not is_off(control, 3.0)
    assert is_off(Estimate(0.0, 0.13, -0.1, 0.1), 3.0)


@pytest.mark.parametrize(("sd", "margin"), [(0.013, MICRO), (0.026, SERVER), (0.04, MICRO)])
def test_equal_code_is_hardly_ever_called_slower(sd: float, margin: Margin) -> None:
    """In 2000 comparisons of 25 cases without a difference: 0 with a false alarm."""
    random = Random(2)
    alarms = false_alarms([normal(0, sd, random)] * 25, margin, 2000)
    assert alarms.share <= 0.001


@pytest.mark.parametrize(
    ("sd", "margin", "change", "least"),
    [
        (0.013, MICRO, 0.05, 0.99),  # 100 %
        (0.013, MICRO, 0.10, 0.999),  # 100 %
        (0.026, SERVER, 0.05, 0.65),  # 69 %, below what must be found
        (0.026, SERVER, 0.08, 0.99),  # 100 %
        (0.04, MICRO, 0.05, 0.70),  # 75 %
        (0.04, MICRO, 0.10, 0.98),  # 100 %
    ],
)
def test_slower_code_is_found(sd: float, margin: Margin, change: float, least: float) -> None:
    """In 2000 comparisons of one case; the figures that were found stand beside the bounds."""
    assert found(normal(change, sd, Random(3)), margin, 2000).share >= least


def test_a_screen_alone_would_give_false_alarms() -> None:
    """Why there is a margin and a confirmation: `low > 0` alone is wrong for 1 case in 100."""
    random = Random(4)
    screens = (estimate([random.gauss(0, 0.013) for _ in range(8)]) for _ in range(50_000))
    assert sum(one.low > 0 for one in screens) / 50_000 == pytest.approx(0.01, abs=0.002)


def test_only_fresh_pairs_decide_on_a_suspicion() -> None:
    """Eight slow pairs by chance, and then equal ones: no regression."""
    drawn = iter([0.06, 0.05] * 4 + [0.001, -0.001] * 6)
    assert play(lambda: next(drawn), MICRO) is Verdict.OK
    assert next(drawn, None) is None


def test_resampling_draws_what_was_measured() -> None:
    """And nothing else."""
    draw = resampled([0.01, 0.02], Random(5))
    assert {draw() for _ in range(50)} == {0.01, 0.02}
    assert str(Rate(1, 1000)) == "1 of 1000 (0.10 %)"
