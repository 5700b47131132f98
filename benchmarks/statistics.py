"""Whether one program is slower than another: decided from log ratios of process pairs alone.

A process pair is the unit. The timings of one process are no independent observations: they share
its hash seed, its memory layout and its minute. A pair gives one number, the trimmed mean of the
log ratios of its batches, and only these numbers are counted.

A suspicion from the first pairs (the screen) is decided on fresh pairs alone (the confirmation), so
that looking twice does not make false alarms, however many cases there are.
"""

import functools
import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from benchmarks.case import Margin
from benchmarks.results import Interval, Verdict

FEWEST_PAIRS: Final = 2  # that say how they scatter
SCREEN_PAIRS: Final = 8
CONFIRM_PAIRS: Final = 12
CONFIRM_PAIRS_NOISY: Final = 20

# All from measured A/A pairs on a shared 2-core machine: docs/benchmarks.md.
_TRIM: Final = 0.2
_CONFIDENCE: Final = 0.99
_NOISY_SD: Final = 0.02
_CONTROL_MOST: Final = 0.01
_CONTROL_MOST_SD: Final = 0.04


class Estimate(msgspec.Struct, frozen=True):
    """The mean of log ratios; the truth is below `high`, and above `low`, with 99 % each."""

    mean: float
    sd: float
    low: float
    high: float

    @property
    def interval(self) -> Interval:
        """Give it as ratios."""
        return Interval(math.exp(self.mean), math.exp(self.low), math.exp(self.high))


def trimmed_mean(values: Iterable[float]) -> float:
    """Give the mean of what is left without the lowest and the highest fifth."""
    ordered = sorted(values)
    cut = int(len(ordered) * _TRIM)
    kept = ordered[cut : len(ordered) - cut]
    return math.fsum(kept) / len(kept)


def log_ratio(base_ns: Sequence[int], head_ns: Sequence[int]) -> float:
    """Give what one pair says; batches with the same index ran one after the other."""
    return trimmed_mean(math.log(b / a) for a, b in zip(base_ns, head_ns, strict=True))


def estimate(log_ratios: Sequence[float]) -> Estimate:
    """Give the mean with its bounds.

    Raises:
        ValueError: there are fewer than two.
    """
    count = len(log_ratios)
    if count < FEWEST_PAIRS:
        message = f"{count} pairs say nothing of how they scatter"
        raise ValueError(message)
    mean = math.fsum(log_ratios) / count
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in log_ratios) / (count - 1))
    reach = student_quantile(count - 1) * sd / math.sqrt(count)
    return Estimate(mean, sd, mean - reach, mean + reach)


@functools.cache
def student_quantile(freedom: int) -> float:
    """Give what a Student variable with that many degrees of freedom stays below with 99 %."""
    low, high = 0.0, 64.0  # with one degree it is 31.8, with more less
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (low, middle) if _student_below(middle, freedom) > _CONFIDENCE else (middle, high)
        )
    return high


def _student_below(t: float, freedom: int) -> float:
    """Give P(T < t) for t >= 0 by the finite series of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    series = term if freedom > 1 else 0.0
    for i in range(2 + odd, freedom - 1, 2):
        term *= (i - 1) / i * math.cos(angle) ** 2
        series += term
    within = math.sin(angle) * series
    if odd:
        within = 2 / math.pi * (angle + within)
    return (1 + within) / 2


def needs_confirmation(screened: Estimate, margin: Margin) -> bool:
    """Say whether fresh pairs must decide: it may be slower, or would be called faster."""
    return (
        screened.low > 0
        or screened.high > math.log1p(margin.target)
        or screened.high < -math.log1p(margin.allowed)
    )


def confirming_pairs(screened: Estimate) -> int:
    """Give how many fresh pairs it takes."""
    return CONFIRM_PAIRS_NOISY if screened.sd > _NOISY_SD else CONFIRM_PAIRS


def verdict(found: Estimate, margin: Margin) -> Verdict:
    """Give what the pairs of one stage say of a case."""
    if found.low > math.log1p(margin.allowed):
        return Verdict.REGRESSED
    if found.high < -math.log1p(margin.allowed):
        return Verdict.IMPROVED
    if found.high < math.log1p(margin.target):
        return Verdict.OK
    return Verdict.INCONCLUSIVE


def is_off(control: Estimate, wider: float = 1.0) -> bool:
    """Say whether base differs from itself, or scatters too much to tell anything.

    Where margins are `wider`, more is allowed by as much.
    """
    is_far = abs(control.mean) > _CONTROL_MOST * wider
    is_biased = is_far and (control.low > 0 or control.high < 0)
    return is_biased or control.sd > _CONTROL_MOST_SD * wider
