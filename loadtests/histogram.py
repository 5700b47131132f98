"""Latencies with three significant digits, as counts by milliseconds."""

import math
from collections.abc import Iterable, Mapping

Histogram = dict[float, int]


def three_digits(milliseconds: float) -> float:
    """Round a time so that it is wrong by half a percent at most, and fits with few others.

    locust's own rounding is to whole milliseconds below 100 ms: a median of 1.5 ms is shown as 2.
    """
    if milliseconds <= 0:
        return 0.0
    return round(milliseconds, 2 - math.floor(math.log10(milliseconds)))


def add(histogram: Histogram, milliseconds: float) -> None:
    key = three_digits(milliseconds)
    histogram[key] = histogram.get(key, 0) + 1


def merged(histograms: Iterable[Mapping[int, int] | Mapping[float, int]]) -> Histogram:
    total: Histogram = {}
    for one in histograms:
        for key, count in one.items():
            total[key] = total.get(key, 0) + count
    return total


def percentile(histogram: Mapping[float, int], share: float) -> float:
    """Give the time within which this share was done (nearest rank); 0 where nothing was."""
    rank = math.ceil(sum(histogram.values()) * share)
    for key in sorted(histogram):
        rank -= histogram[key]
        if rank <= 0:
            return key
    return 0.0
