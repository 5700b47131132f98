"""Starting a server with one worker, and the memory of that worker, beside a bare Litestar.

Start-up is until it is ready. Memory is what the system calls resident: what the worker shares with
the process that it was forked from is counted too.
"""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import partial
from time import perf_counter_ns
from typing import Final

import psutil

from benchmarks.case import Batch, Case, Kind
from benchmarks.programs.cpus import measured, started_on
from benchmarks.programs.edge import prepared_edge, serving_edge
from benchmarks.programs.hosts import on_granian
from benchmarks.programs.program import Running, plain_environment
from benchmarks.programs.redis import REDIS

Start = Callable[[], AbstractContextManager[Running]]

_IMPORTS: Final = "import granian.server.mp, litestar"


@contextmanager
def _prepared() -> Iterator[Start]:
    with REDIS.use() as port, prepared_edge(port) as (environment, _):
        yield partial(serving_edge, environment)


@contextmanager
def _bare() -> Iterator[Start]:
    yield partial(on_granian, "benchmarks.floors.hello:litestar")


Prepare = Callable[[], AbstractContextManager[Start]]


@asynccontextmanager
async def _starting(prepare: Prepare) -> AsyncIterator[Batch]:
    with prepare() as start:

        async def batch(n: int) -> int:
            took_ns = 0
            for _ in range(n):
                started = perf_counter_ns()
                with start():
                    took_ns += perf_counter_ns() - started
            return took_ns

        yield batch


@asynccontextmanager
async def _importing() -> AsyncIterator[Batch]:
    command = [sys.executable, "-c", _IMPORTS]

    async def batch(n: int) -> int:
        started = perf_counter_ns()
        for _ in range(n):
            with started_on(measured()):
                subprocess.run(command, env=plain_environment(), check=True)  # noqa: ASYNC221, S603  # nothing else is to run
        return perf_counter_ns() - started

    yield batch


@asynccontextmanager
async def _growing_big(prepare: Prepare) -> AsyncIterator[Batch]:
    """Measure the memory of one worker, which has just become ready."""
    with prepare() as start:

        async def batch(n: int) -> int:
            with start() as running:
                return n * _resident_bytes(running)

        yield batch


def _resident_bytes(running: Running) -> int:
    """Give the memory of the largest worker: helpers of multiprocessing are small."""
    workers = psutil.Process(running.pid).children()
    return max(int(worker.memory_info().rss) for worker in workers)


CASES: Final[Sequence[Case]] = [
    Case(
        id="process/start",
        open=partial(_starting, _prepared),
        kind=Kind.PROCESS,
        of=["floor/import", "floor/start-litestar"],
    ),
    Case(
        id="memory/worker",
        open=partial(_growing_big, _prepared),
        kind=Kind.PROCESS,
        of=["floor/memory-litestar"],
        unit="bytes",
    ),
    Case(id="floor/import", open=_importing, kind=Kind.PROCESS),
    Case(id="floor/start-litestar", open=partial(_starting, _bare), kind=Kind.PROCESS),
    Case(
        id="floor/memory-litestar",
        open=partial(_growing_big, _bare),
        kind=Kind.PROCESS,
        unit="bytes",
    ),
]
