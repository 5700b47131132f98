"""Experiments: a steady load through a real HAProxy on two replicas, and something that goes wrong.

Each request says beforehand what must come of it, so that what should have been refused is told
from what should have been served.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpx
import msgspec

RATE_PER_S: Final = 50
_TIMEOUT_S: Final = 10.0
_SERVED: Final = 200


class Ask(msgspec.Struct, frozen=True):
    """A request, and the only status that is right for it."""

    path: str
    status: int
    fields: Mapping[str, str] = {}


class Outcome(msgspec.Struct, frozen=True):
    """What came of one request, `at_s` after the load began; 0 is no answer at all."""

    ask: Ask
    status: int
    at_s: float
    took_s: float
    has_retry_after: bool = False

    @property
    def is_unsafe(self) -> bool:
        """Whether it was let through, and should not have been."""
        return self.status == _SERVED and self.ask.status != _SERVED

    @property
    def is_lost(self) -> bool:
        """Whether its client got nothing it could go on with."""
        is_told_to_wait = self.status == 503 and self.has_retry_after
        return self.status != self.ask.status and not is_told_to_wait and not self.is_unsafe


class Report(msgspec.Struct, frozen=True):
    """All outcomes of an experiment whose fault began `fault_at_s` after the load."""

    name: str
    outcomes: Sequence[Outcome]
    fault_at_s: float

    @property
    def lost(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.is_lost]

    @property
    def unsafe(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.is_unsafe]

    @property
    def delayed(self) -> list[Outcome]:
        """Those that were told to come back later."""
        return [one for one in self.outcomes if one.status == 503 and not one.is_lost]

    @property
    def detected_s(self) -> float:
        """How long after the fault the first client noticed; 0 where nobody did."""
        hurt = [one.at_s for one in (*self.lost, *self.delayed)]
        return max(min(hurt) - self.fault_at_s, 0.0) if hurt else 0.0

    @property
    def recovered_s(self) -> float:
        """How long after the fault the last client that was hurt had asked; 0 where nobody was."""
        hurt = [one.at_s for one in (*self.lost, *self.delayed)]
        return max(max(hurt) - self.fault_at_s, 0.0) if hurt else 0.0

    def slowest_s(self) -> float:
        """Give how long the slowest answer took."""
        return max(one.took_s for one in self.outcomes)

    def line(self) -> str:
        """Give what `make faults` prints."""
        statuses = Counter(one.status for one in self.lost)
        which = f" {dict(statuses)}" if statuses else ""
        return (
            f"{self.name}: {len(self.outcomes)} asked, {len(self.lost)} lost{which},"
            f" {len(self.delayed)} told to wait, {len(self.unsafe)} unsafe,"
            f" noticed after {self.detected_s:.2f} s, over after {self.recovered_s:.2f} s,"
            f" slowest {self.slowest_s():.2f} s"
        )


async def run_experiment(
    name: str,
    url: str,
    asks: Sequence[Ask],
    fault: Callable[[], Awaitable[None]],
    *,
    before_s: float = 1.0,
    after_s: float = 2.0,
    rate_per_s: float = RATE_PER_S,
) -> Report:
    """Load `url` with these requests in turns, let the fault happen, and go on for a while.

    Requests start on a schedule, however long earlier ones take: what is slow is not asked less.
    """
    async with _load(url, asks, rate_per_s) as (outcomes, began_s):
        await asyncio.sleep(before_s)
        fault_at_s = time.perf_counter() - began_s
        await fault()
        await asyncio.sleep(after_s)
    report = Report(name, outcomes, fault_at_s)
    print(f"\n{report.line()}")  # noqa: T201  # `make faults` shows it
    return report


@asynccontextmanager
async def _load(
    url: str, asks: Sequence[Ask], rate_per_s: float
) -> AsyncIterator[tuple[list[Outcome], float]]:
    outcomes: list[Outcome] = []
    began_s = time.perf_counter()
    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=64)
    async with (
        httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=limits) as http,
        asyncio.TaskGroup() as group,
    ):
        pace = group.create_task(_pace(http, asks, rate_per_s, outcomes, began_s, group))
        yield outcomes, began_s
        pace.cancel()


async def _pace(
    http: httpx.AsyncClient,
    asks: Sequence[Ask],
    rate_per_s: float,
    outcomes: list[Outcome],
    began_s: float,
    group: asyncio.TaskGroup,
) -> None:
    for number, ask in enumerate(itertools.cycle(asks)):
        due_s = began_s + number / rate_per_s
        await asyncio.sleep(max(due_s - time.perf_counter(), 0))
        group.create_task(_ask(http, ask, outcomes, due_s, began_s))


async def _ask(
    http: httpx.AsyncClient, ask: Ask, outcomes: list[Outcome], due_s: float, began_s: float
) -> None:
    status, has_retry_after = 0, False
    try:
        answer = await http.get(ask.path, headers=dict(ask.fields))
        status, has_retry_after = answer.status_code, "retry-after" in answer.headers
    except httpx.HTTPError:
        pass
    took_s = time.perf_counter() - due_s
    outcomes.append(Outcome(ask, status, due_s - began_s, took_s, has_retry_after))
