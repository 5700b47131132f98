"""How numbers are written: three significant digits, and the unit that fits."""

import math
from typing import Final

from benchmarks.results import Interval

_DIGITS: Final = 3
# A ratio from here on is told as a multiple: "+240 %" is read wrongly too often.
_MULTIPLE: Final = 2.0
_WHOLE: Final = 100
_UNITS: Final = ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns"))


def duration(ns: float | None) -> str:
    """Give a time as "93.1 us", and nothing of none."""
    if ns is None:
        return ""
    rounded = float(f"{ns:.{_DIGITS}g}")
    size, unit = next(((s, u) for s, u in _UNITS if rounded >= s), _UNITS[-1])
    return f"{_significant(rounded / size)} {unit}"


def times(ratio: float) -> str:
    """Give a ratio as a multiple: "1.12 x"."""
    return f"{_significant(ratio)} x"


def times_range(ratio: Interval) -> str:
    """Give the confidence interval of a multiple: "1.07 .. 1.18"."""
    return f"{_significant(ratio.low)} .. {_significant(ratio.high)}"


def change(ratio: float) -> str:
    """Give head / base as "+5.6 %", or as a multiple where the two are far apart."""
    if not 1 / _MULTIPLE < ratio < _MULTIPLE:
        return times(ratio)
    return percent(ratio - 1, signed=True)


def change_range(ratio: Interval) -> str:
    """Give a confidence interval of head / base as "+4.4 % .. +6.8 %"."""
    return f"{change(ratio.low)} .. {change(ratio.high)}"


def spread(interval: Interval) -> str:
    """Give how far a confidence interval reaches to its farther side, in percent of its value."""
    farther = max(interval.high - interval.value, interval.value - interval.low)
    return f"± {percent(farther / interval.value)}" if interval.value else ""


def percent(part: float, *, signed: bool = False) -> str:
    """Give a part of one with one decimal, and one of many without."""
    hundredths = round(100 * part, 1) + 0.0  # no "-0.0"
    decimals = 1 if abs(hundredths) < _WHOLE else 0
    return f"{hundredths:{'+' if signed else ''},.{decimals}f} %"


def _significant(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.{_DIGITS}g}")
    decimals = max(0, _DIGITS - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"
