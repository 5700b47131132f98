"""How the load goes over a run: the share of all users at a moment, and how many users that is."""

import math
from typing import Final

from loadtests.terms import ShapeName

# Of a spike: before and after it, a tenth; it takes five seconds to rise.
_QUIET: Final = 0.1
_RISE_S: Final = 5.0
# Of a soak: how much of the run it takes to come up, so that caches are filled by then.
_SOAK_RISE: Final = 0.05


def share_at(shape: ShapeName, at_s: float, run_time_s: float, *, steps: int = 10) -> float:
    """Give the share of all users that are there `at_s` after the start, more than 0."""
    through = min(at_s / run_time_s, 1.0)
    match shape:
        case "constant":
            return 1.0
        case "ramp":
            return max(through, 0.01)
        case "spike":
            return _spike(at_s, run_time_s)
        case "step":
            return min(math.floor(through * steps) + 1, steps) / steps
        case "soak":
            return min(max(through / _SOAK_RISE, 0.01), 1.0)
        case "day":
            return _day(through)


def users_at(share: float, users: int, fixed: int) -> int:
    """Give how many users a share is; the fixed ones, such as the floor, are there all the time."""
    return fixed + max(math.ceil((users - fixed) * share), 1)


def _spike(at_s: float, run_time_s: float) -> float:
    """The middle third is full."""
    into_s = at_s - run_time_s / 3
    if into_s < 0 or into_s > run_time_s / 3:
        return _QUIET
    return min(_QUIET + (1 - _QUIET) * into_s / _RISE_S, 1.0)


def _day(through: float) -> float:
    """From midnight to midnight: quiet at night, a peak before noon and a lower one at eight."""
    hour = through * 24
    morning = math.exp(-(((hour - 11) / 3) ** 2))
    evening = 0.7 * math.exp(-(((hour - 20) / 2) ** 2))
    return min(0.1 + 0.9 * max(morning, evening), 1.0)
