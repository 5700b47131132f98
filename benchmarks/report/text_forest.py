"""A forest plot in one line of text, for where no picture can be shown."""

import math
from typing import Final

from benchmarks.results import Interval

_HALF: Final = 10  # letters on each side of none: about a percent each
_REACH: Final = math.log(1.10)

HEADING: Final = f"{'-10 %':<{_HALF}}0{'+10 %':>{_HALF}}"


def plot(ratio: Interval) -> str:
    """Give `·······│···├●┤··`: none, the interval and the value; what lies beyond points on."""
    row = ["·"] * (2 * _HALF + 1)
    low, middle, high = (_place(one) for one in (ratio.low, ratio.value, ratio.high))
    for here in range(low, high + 1):
        row[here] = "─"
    row[low], row[high] = "├", "┤"
    row[_HALF] = "│" if row[_HALF] == "·" else "┼"
    row[middle] = "●"
    if ratio.low < math.exp(-_REACH):
        row[0] = "◂"
    if ratio.high > math.exp(_REACH):
        row[-1] = "▸"
    return "".join(row)


def _place(ratio: float) -> int:
    part = math.log(ratio) / _REACH if ratio > 0 else -1.0
    return _HALF + round(_HALF * min(max(part, -1.0), 1.0))
