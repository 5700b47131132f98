"""Processes that take turns on one CPU: whatever else the machine does meets all of them."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Final

import msgspec

from benchmarks.harness.machine import Cpus
from benchmarks.harness.plan import Plan, warm_up
from benchmarks.harness.process import Worker
from benchmarks.results import Pair
from benchmarks.statistics import log_ratio, trimmed_mean

_SEEDS: Final = 2**32  # of PYTHONHASHSEED


class Draw(msgspec.Struct, frozen=True):
    """What the processes of one round have in common: drawn anew for the next round."""

    number: int
    seed: int
    cpu: int | None


def draws(cpus: Cpus, random: Random) -> Iterator[Draw]:
    """Give a hash seed and a CPU for each round, without end."""
    number = 0
    while True:
        yield Draw(number, random.randrange(_SEEDS), cpus.choose(number))
        number += 1


def alternate(takers: Sequence[Callable[[], int]], batches: int, first: int) -> list[list[int]]:
    """Let each run that many batches: AB BA AB, or ABC BCA CAB. Give the nanoseconds of each."""
    took_ns: list[list[int]] = [[] for _ in takers]
    for batch in range(batches):
        for place in range(len(takers)):
            taker = (batch + first + place) % len(takers)
            took_ns[taker].append(takers[taker]())
    return took_ns


def pair_up(base: Worker, head: Worker, case: str, n: int, plan: Plan, draw: Draw) -> Pair:
    """Measure a case that both workers have ready."""
    warm = warm_up(plan, n)
    sides = [lambda worker=worker: worker.run(case, n, warm) for worker in (base, head)]
    base_ns, head_ns = alternate(sides, plan.batches, draw.number)
    return Pair(
        seed=draw.seed,
        cpu=draw.cpu,
        ratio=math.exp(log_ratio(base_ns, head_ns)),
        base_ns=typical(base_ns) / n,
        head_ns=typical(head_ns) / n,
    )


def typical(took_ns: Sequence[int]) -> float:
    """Give what a batch of one process takes."""
    return math.exp(trimmed_mean(math.log(ns) for ns in took_ns))


@contextmanager
def ready(workers: Sequence[Worker], case: str) -> Iterator[None]:
    """Open a case in each, and close it on leaving; after a failure the processes are given up."""
    for worker in workers:
        worker.open(case)
    yield
    for worker in workers:
        worker.close_cases()
