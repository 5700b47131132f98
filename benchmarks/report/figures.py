"""How numbers are written: three significant digits, and the unit that fits."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.case import Unit
from benchmarks.results import Interval

_DIGITS: Final = 3
# A ratio from here on is told as a multiple: "+240 %" is read wrongly too often.
_MULTIPLE: Final = 2.0
_WHOLE: Final = 100
_UNITS: Final[Mapping[Unit, Sequence[tuple[float, str]]]] = {
    "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")),
    "bytes": ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")),
}


def amount(value: float | None, unit: Unit = "ns") -> str:
    """Give a time as "93.1 us" or memory as "107 MiB", and nothing of none."""
    if value is None:
        return ""
    rounded = float(f"{value:.{_DIGITS}g}")
    size, name = next((one for one in _UNITS[unit] if rounded >= one[0]), _UNITS[unit][-1])
    return f"{_significant(value / size)} {name}"


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
    if not interval.value:
        return ""
    farther = max(interval.high - interval.value, interval.value - interval.low) / interval.value
    return f"± {percent(farther)}" if farther < 1 else "not known"  # too few rounds, or much noise


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
