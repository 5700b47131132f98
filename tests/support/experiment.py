"""Experiments: a steady load through a real HAProxy on two replicas, and something that goes wrong.

    async with experiment("F1 SIGKILL of a worker", port, asks) as running:
        worker.kill()
    running.report.assert_nothing_is_lost()

What the block does is the fault; it is over when the block is left.
"""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from tests.support.outcomes import Ask, Outcome, Report
from tests.support.quick_http import Answer, NoAnswerError, QuickHttp, quick_http

# `make faults` takes its time; other runs leave out what is marked `thorough`.
IS_THOROUGH: Final = os.environ.get("EDGE_TEST_FAULTS") == "all"

RATE_PER_S: Final = 50
_BEFORE_S: Final = 1.0
_AFTER_S: Final = 1.0
_LOOK_S: Final = 0.05
_SEEN_TIMEOUT_S: Final = 20.0

Sign = Callable[[], bool]


class Experiment:
    """A load that goes on, and what has come of it so far. What is asked beside it counts too."""

    def __init__(self, name: str, http: QuickHttp, sign: Sign | None) -> None:
        self.name = name
        self.http = http
        self.outcomes: list[Outcome] = []
        self.seen: list[float] = []
        self.fault_at_s = self.ended_at_s = 0.0
        self._sign = sign
        self._began_s = time.perf_counter()

    def now_s(self) -> float:
        return time.perf_counter() - self._began_s

    @property
    def report(self) -> Report:
        seen_s = (self.seen[0], self.seen[-1]) if self.seen else None
        return Report(self.name, self.outcomes, self.fault_at_s, self.ended_at_s, seen_s)

    async def ask(
        self, ask: Ask, http: QuickHttp | None = None, due_s: float | None = None
    ) -> Answer | None:
        """Ask through the balancer, or of whom `http` asks, and note what comes of it.

        `due_s` is since when the answer has been waited for.
        """
        at_s = self.now_s() if due_s is None else due_s
        answer = None
        with suppress(NoAnswerError):
            answer = await (http or self.http).ask(ask.method, ask.path, ask.fields, ask.body)
        self.note(ask, answer, at_s)
        return answer

    def note(self, ask: Ask, answer: Answer | None, at_s: float) -> None:
        took_s = self.now_s() - at_s
        if answer is None:
            self.outcomes.append(Outcome(ask, 0, at_s, took_s))
            return
        is_told_when = "retry-after" in answer.fields
        is_crossed = ask.holds not in answer.text
        found = Outcome(ask, answer.status, at_s, took_s, is_told_when, is_crossed)
        self.outcomes.append(found)

    async def look(self) -> None:
        """Look all the time whether an operator can see that something is wrong."""
        while self._sign:
            if await asyncio.to_thread(self._sign):
                self.seen.append(self.now_s())
            await asyncio.sleep(_LOOK_S)

    async def load(self, asks: Sequence[Ask], rate_per_s: float) -> None:
        """Ask these in turns, on a schedule: what is slow is not asked less."""
        under_way: set[asyncio.Task[object]] = set()
        begun_s = self.now_s()
        try:
            for number, ask in enumerate(itertools.cycle(asks)):
                due_s = begun_s + number / rate_per_s
                await asyncio.sleep(max(due_s - self.now_s(), 0))
                task = asyncio.create_task(self.ask(ask, due_s=due_s))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
        finally:
            await asyncio.gather(*under_way)

    async def until(self, sign: Sign) -> None:
        """Wait until something can be seen."""
        async with asyncio.timeout(_SEEN_TIMEOUT_S):
            while not await asyncio.to_thread(sign):  # noqa: ASYNC110  # as seen from outside
                await asyncio.sleep(_LOOK_S)

    async def until_it_looks_well(self) -> None:
        await self.until(lambda: not (self._sign and self._sign()))


@asynccontextmanager
async def experiment(
    name: str,
    port: int,
    asks: Sequence[Ask],
    *,
    sign: Sign | None = None,
    rate_per_s: float = RATE_PER_S,
) -> AsyncIterator[Experiment]:
    """Load HAProxy before, during and after what the block does; then print what came of it.

    `sign` says whether an operator can see just now that something is wrong.
    """
    async with quick_http(port) as http:
        running = Experiment(name, http, sign)
        work = [running.load(asks, rate_per_s), running.look()]
        tasks = [asyncio.create_task(coroutine) for coroutine in work]
        try:
            await asyncio.sleep(_BEFORE_S)
            running.fault_at_s = running.now_s()
            yield running
            running.ended_at_s = running.ended_at_s or running.now_s()
            await running.until_it_looks_well()
            await asyncio.sleep(_AFTER_S)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):  # and not that it was cancelled
            raise end
    print(f"\n{running.report.line()}")  # noqa: T201  # `make faults` shows it
