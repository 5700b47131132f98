"""What decisions about rate limits are asked for: windows that no measurement fills."""

import itertools
import time
from collections.abc import Sequence
from typing import Final

from edge.ratelimit.charge import Algorithm, Charge, Outcome, Quota

_MINUTE_US: Final = 60_000_000
# The most that a log may have; a counter does not care.
QUOTAS: Final[dict[Algorithm, Quota]] = {
    "counter": Quota("counter", 1_000_000_000, _MINUTE_US),
    "log": Quota("log", 10_000, _MINUTE_US),
}
_RUNS: Final = itertools.count()


def charges(algorithm: Algorithm, keys: int) -> list[Sequence[Charge]]:
    """Give requests on so many keys, which nobody else has."""
    run = next(_RUNS)
    return [
        [Charge(b"edge:limit:bench:%d:%032d" % (run, number), QUOTAS[algorithm])]
        for number in range(keys)
    ]


def is_admitted(outcome: Outcome) -> bool:
    """Say whether a decision was the right one."""
    return outcome.is_admitted and len(outcome.verdicts) == 1 and outcome.verdicts[0].fits


def monotonic_us() -> int:
    """Give microseconds that never run backwards."""
    return time.monotonic_ns() // 1000
