"""Windows in the memory of this process: for one worker, and for when Redis is away."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from edge.ratelimit.charge import Charge, Charged, Outcome, Quota, Verdict
from edge.ratelimit.windows import CounterWindow, LogWindow

Window = LogWindow | CounterWindow

# A window takes some 300 bytes (a counter) up to 80 kB (a log of 10,000): see docs/rate-limits.md.
_MOST_KEYS: Final = 100_000
# More than one, so that the windows that have passed become fewer while new ones come.
_LOOKED_AT: Final = 2


class MemoryWindows:
    """Decides at once, in steps that do not grow with the number of windows.

    `clock` gives microseconds that never run backwards. Of each window length `most_keys` are
    remembered; beyond that, the one that was charged longest ago is forgotten.
    """

    def __init__(self, clock: Callable[[], int], *, most_keys: int = _MOST_KEYS) -> None:
        self._clock = clock
        self._most_keys = most_keys
        # By window length, and within one least recently charged first: the order of expiry.
        self._windows: dict[int, dict[bytes, Window]] = {}

    async def decide(self, charges: Sequence[Charge]) -> Outcome:
        return self.decide_now(charges)

    def decide_now(self, charges: Sequence[Charge]) -> Outcome:
        now_us = self._clock()
        windows = [self._find(charge) for charge in charges]
        verdicts = [
            window.weigh(charge.quota, charge.cost, now_us)
            for charge, window in zip(charges, windows, strict=True)
        ]
        is_admitted = True
        for charge, verdict in zip(charges, verdicts, strict=True):
            is_admitted = is_admitted and (verdict.fits or charge.is_shadow)
        if is_admitted:
            for position, (charge, window) in enumerate(zip(charges, windows, strict=True)):
                if verdicts[position].fits and charge.cost:
                    verdicts[position] = self._charge(charge, window, now_us)
        return Outcome(is_admitted, tuple(verdicts), (now_us,) * len(verdicts))

    async def give_back(self, charged: Iterable[Charged]) -> None:
        for one in charged:
            self._find(one.charge).give_back(one.charge.cost, one.at_us)

    def __len__(self) -> int:
        return sum(map(len, self._windows.values()))

    def _find(self, charge: Charge) -> Window:
        quota = charge.quota
        found = self._windows.get(quota.window_us, {}).get(charge.key)
        return found or _new_window(quota)

    def _charge(self, charge: Charge, window: Window, now_us: int) -> Verdict:
        of_this_length = self._windows.setdefault(charge.quota.window_us, {})
        is_new = of_this_length.pop(charge.key, None) is None
        of_this_length[charge.key] = window
        verdict = window.charge(charge.quota, charge.cost, now_us)
        if is_new:
            self._forget_some(of_this_length, now_us)
        return verdict

    def _forget_some(self, windows: dict[bytes, Window], now_us: int) -> None:
        for _ in range(_LOOKED_AT):
            oldest = next(iter(windows))
            if len(windows) > self._most_keys or windows[oldest].is_empty(now_us):
                del windows[oldest]


def _new_window(quota: Quota) -> Window:
    kind = LogWindow if quota.algorithm == "log" else CounterWindow
    return kind(quota.window_us)
