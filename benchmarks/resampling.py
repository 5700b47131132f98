"""How often the rules of `statistics` are wrong, by playing whole comparisons with drawn pairs."""

import math
from collections.abc import Callable, Sequence
from random import Random

import msgspec

from benchmarks.case import Margin
from benchmarks.results import Verdict
from benchmarks.statistics import (
    SCREEN_PAIRS,
    confirming_pairs,
    estimate,
    needs_confirmation,
    verdict,
)

Draw = Callable[[], float]
"""Gives the log ratio of one more pair."""


class Rate(msgspec.Struct, frozen=True):
    """How often something happened."""

    count: int
    of: int

    @property
    def share(self) -> float:
        return self.count / self.of

    def __str__(self) -> str:
        return f"{self.count} of {self.of} ({100 * self.share:.2f} %)"


def play(draw: Draw, margin: Margin) -> Verdict:
    """Give the verdict on a case whose pairs are drawn: a screen, and a confirmation if needed."""
    screened = estimate([draw() for _ in range(SCREEN_PAIRS)])
    if not needs_confirmation(screened, margin):
        return verdict(screened, margin)
    return verdict(estimate([draw() for _ in range(confirming_pairs(screened))]), margin)


def false_alarms(draws: Sequence[Draw], margin: Margin, comparisons: int) -> Rate:
    """Count comparisons of these cases in which at least one is called slower."""
    alarms = sum(
        any(play(draw, margin) is Verdict.REGRESSED for draw in draws) for _ in range(comparisons)
    )
    return Rate(alarms, comparisons)


def found(draw: Draw, margin: Margin, comparisons: int) -> Rate:
    """Count comparisons in which this case is called slower."""
    hits = sum(play(draw, margin) is Verdict.REGRESSED for _ in range(comparisons))
    return Rate(hits, comparisons)


def resampled(log_ratios: Sequence[float], random: Random) -> Draw:
    """Draw from measured pairs, with replacement."""
    return lambda: random.choice(log_ratios)


def normal(true_change: float, sd: float, random: Random) -> Draw:
    """Draw normal log ratios around a true change: 0.05 is 5 % slower."""
    centre = math.log1p(true_change)
    return lambda: random.gauss(centre, sd)
