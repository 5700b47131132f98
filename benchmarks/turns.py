"""Requests a second of servers that take turns: `python -m benchmarks.cases.server [ROUNDS]`."""

import asyncio
import os
import statistics
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from benchmarks.case import Batch, Case
from benchmarks.programs.cpus import measured

_ROUNDS: Final = 12
_WARM_UP: Final = 500
_BURST_NS: Final = 150_000_000
_NS: Final = 1_000_000_000


def main(cases: Sequence[Case]) -> None:
    """Print rates and ratios, each with its quartiles over the rounds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    asked = {other for case in cases for other in case.of}
    cases = [case for case in cases if case.of or case.id in asked]
    with_affinity = hasattr(os, "sched_setaffinity")
    if with_affinity:
        os.sched_setaffinity(0, measured())
    times = asyncio.run(_take_turns(cases, rounds))
    for case in cases:
        rates = [_NS / took for took in times[case.id]]
        what = "us of CPU" if case.id.endswith("/cpu") else "requests/s"
        shown = [took / 1000 for took in times[case.id]] if "CPU" in what else rates
        print(f"{case.id:40}{_spread(shown, ',.1f')} {what}")
    for case in cases:
        for other in case.of:
            pairs = zip(times[other], times[case.id], strict=True)
            ratios = [theirs / ours for theirs, ours in pairs]
            print(f"{case.id} / {other}: {_spread(ratios, '.3f')}")


async def _take_turns(cases: Sequence[Case], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {case.id: [] for case in cases}
    async with AsyncExitStack() as stack:
        batches = [(case, await stack.enter_async_context(case.open())) for case in cases]
        sizes = [await _size(batch) for _, batch in batches]
        turns = [(case.id, batch, n) for (case, batch), n in zip(batches, sizes, strict=True)]
        for number in range(rounds):
            shift = number % len(turns)
            for name, batch, n in (*turns[shift:], *turns[:shift]):
                times[name].append(await batch(n) / n)
    return times


async def _size(batch: Batch) -> int:
    await batch(_WARM_UP)
    return max(_WARM_UP, round(_BURST_NS * _WARM_UP / await batch(_WARM_UP)))


def _spread(values: Sequence[float], form: str) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"
