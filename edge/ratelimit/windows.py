"""The two sliding windows: what the memory store runs on, and what the Redis script is held to.

Time is in integer microseconds and never runs backwards: a clock that does is taken to stand still.
"""

from collections import deque
from itertools import accumulate
from typing import Final

from edge.ratelimit.charge import SUB_WINDOWS, Quota, Verdict

# The current one, nine whole ones, and the oldest, which the window reaches into.
_BUCKETS: Final = SUB_WINDOWS + 1


class LogWindow:
    """The time of every unit charged. A unit counts for exactly one window length."""

    __slots__ = ("_times", "_window_us")

    def __init__(self, window_us: int) -> None:
        self._window_us = window_us
        self._times: deque[int] = deque()

    def weigh(self, quota: Quota, cost: int, now_us: int) -> Verdict:
        """Say whether the cost fits; changes nothing."""
        now_us = self._advance(now_us)
        times = self._times
        used = len(times)
        retry_after_us: int | None = 0
        if cost > quota.limit:
            retry_after_us = None
        elif used + cost > quota.limit:
            retry_after_us = times[used + cost - quota.limit - 1] + self._window_us - now_us
        reset_after_us = times[-1] + self._window_us - now_us if times else 0
        return Verdict(max(quota.limit - used, 0), reset_after_us, retry_after_us)

    def charge(self, quota: Quota, cost: int, now_us: int) -> Verdict:
        """Charge a cost that fits, 1 at least, and say how the window stands then."""
        self._times.extend([self._advance(now_us)] * cost)
        return Verdict(quota.limit - len(self._times), self._window_us, 0)

    def give_back(self, cost: int, charged_at_us: int) -> None:
        """Take back units charged at that time; those that have left the window are gone anyway."""
        for _ in range(min(cost, self._times.count(charged_at_us))):
            self._times.remove(charged_at_us)

    def is_empty(self, now_us: int) -> bool:
        self._advance(now_us)
        return not self._times

    def _advance(self, now_us: int) -> int:
        times = self._times
        if times and times[-1] > now_us:
            now_us = times[-1]
        horizon = now_us - self._window_us
        while times and times[0] <= horizon:
            times.popleft()
        return now_us


class CounterWindow:
    """Counts of sub-windows, the oldest in full: weighting it could admit twice the limit."""

    __slots__ = ("_counts", "_newest", "_width_us")

    def __init__(self, window_us: int) -> None:
        self._width_us = window_us // SUB_WINDOWS
        self._newest = 0
        self._counts = [0] * _BUCKETS

    def weigh(self, quota: Quota, cost: int, now_us: int) -> Verdict:
        """Say whether the cost fits; changes nothing."""
        newest, counts = self._at(now_us)
        now_us = max(now_us, self._newest * self._width_us)
        used = sum(counts)
        retry_after_us: int | None = 0
        if cost > quota.limit:
            retry_after_us = None
        elif used + cost > quota.limit:
            position = _position_that_frees(counts, used + cost - quota.limit)
            retry_after_us = self._left_after_us(newest, position, now_us)
        reset_after_us = self._left_after_us(newest, _last_used(counts), now_us) if used else 0
        return Verdict(max(quota.limit - used, 0), reset_after_us, retry_after_us)

    def charge(self, quota: Quota, cost: int, now_us: int) -> Verdict:
        """Charge a cost that fits, 1 at least, and say how the window stands then."""
        self._newest, self._counts = self._at(now_us)
        self._counts[-1] += cost
        now_us = max(now_us, self._newest * self._width_us)
        reset_after_us = self._left_after_us(self._newest, _BUCKETS - 1, now_us)
        return Verdict(quota.limit - sum(self._counts), reset_after_us, 0)

    def give_back(self, cost: int, charged_at_us: int) -> None:
        """Take back units charged at that time; those that have left the window are gone anyway."""
        position = charged_at_us // self._width_us - self._newest + _BUCKETS - 1
        if 0 <= position < _BUCKETS:
            self._counts[position] = max(self._counts[position] - cost, 0)

    def is_empty(self, now_us: int) -> bool:
        return not any(self._at(now_us)[1])

    def _at(self, now_us: int) -> tuple[int, list[int]]:
        """Give the newest sub-window at that time, and the counts up to it."""
        newest = now_us // self._width_us
        if newest <= self._newest:
            return self._newest, self._counts
        gone = min(newest - self._newest, _BUCKETS)
        return newest, self._counts[gone:] + [0] * gone

    def _left_after_us(self, newest: int, position: int, now_us: int) -> int:
        """Give how long it takes until a sub-window has left the window."""
        return (newest + 1 + position) * self._width_us - now_us


def _last_used(counts: list[int]) -> int:
    position = _BUCKETS - 1
    while not counts[position]:
        position -= 1
    return position


def _position_that_frees(counts: list[int], needed: int) -> int:
    """Give the sub-window with whose leaving `needed` units will have been freed."""
    return next(position for position, freed in enumerate(accumulate(counts)) if freed >= needed)
