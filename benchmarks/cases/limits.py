"""Deciding about rate limits within one process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from benchmarks.batches import calling, ready
from benchmarks.case import Batch, Case
from benchmarks.material.limits import charges, is_admitted, monotonic_us
from edge.ratelimit.charge import Algorithm, Verdict
from edge.ratelimit.limiter import Admission, Limiter, apply
from edge.ratelimit.memory import MemoryWindows
from edge.ratelimit.partition import Facts
from edge.ratelimit.policy import Policy

_MANY: Final = 100_000


class _Nobody:
    """A watcher that counts nothing."""

    def decided(self, policy: Policy, limit: int, verdict: Verdict, *, is_admitted: bool) -> None:
        pass

    def remembered(self, policy: Policy) -> None:
        pass

    def without_windows(self, policy: Policy) -> None:
        pass


def _deciding(algorithm: Algorithm, keys: int) -> Batch:
    windows = MemoryWindows(monotonic_us)
    return calling(windows.decide_now, charges(algorithm, keys), is_admitted)


@asynccontextmanager
async def _refusing() -> AsyncIterator[Batch]:
    """Refuse what is known to be over its limit, without asking the windows."""
    policy, windows = Policy(name="bench", limit=1, window_s=86_400), MemoryWindows(monotonic_us)
    # Its clock stands still, or a refusal would be forgotten after a second.
    limiter = Limiter(windows, windows, clock=lambda: 0.0, watcher=_Nobody())
    asked = [apply([policy], Facts(address=f"198.51.100.{number}")) for number in range(64)]
    for applied in asked * 2:
        await limiter.acquire(applied)
    yield calling(limiter.recall, asked, _is_refused)


def _is_refused(admission: Admission | None) -> bool:
    return admission is not None and admission.refused_by is not None


CASES: Final[Sequence[Case]] = [
    Case(
        id="limit/memory/counter",
        open=ready(partial(_deciding, "counter", 1000)),
        gated=True,
        quick=True,
        of=["peer/limits-memory/sliding", "peer/throttled-memory/sliding"],
    ),
    Case(
        id="limit/memory/log",
        open=ready(partial(_deciding, "log", 1000)),
        gated=True,
        of=["peer/limits-memory/moving", "peer/pyrate-memory/log"],
    ),
    # One key for a log would be full, and refuse, before it has told anything.
    Case(id="limit/memory/one-key", open=ready(partial(_deciding, "counter", 1))),
    Case(id="limit/memory/100000-keys", open=ready(partial(_deciding, "counter", _MANY))),
    Case(id="limit/memory/log/100000-keys", open=ready(partial(_deciding, "log", _MANY))),
    Case(id="limit/refused-locally", open=_refusing, gated=True),
]
