"""A process that measures: it makes cases ready and runs their batches, as the driver asks.

    python -m benchmarks.harness.worker CPU

It runs in the tree whose product is measured. Answers go to what was standard output; what a case
prints goes to standard error.
"""

import asyncio
import gc
import importlib.util
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

import msgspec
import uvloop

from benchmarks.case import Batch, Case
from benchmarks.harness.inject import factors
from benchmarks.harness.protocol import (
    ANY_CPU,
    Answer,
    Close,
    Done,
    Failed,
    Hello,
    Open,
    Request,
    Run,
    Took,
)


class NoSuchCaseError(Exception):
    """This tree has no such case, or lacks what its module imports."""


class Bench:
    """The cases that are ready, each with its batch."""

    def __init__(self, cases: Mapping[str, Case], slower: Mapping[str, float]) -> None:
        self._cases = cases
        self._slower = slower
        self._ready: dict[str, Batch] = {}
        self._stack = AsyncExitStack()

    async def answer(self, request: Request) -> Answer:
        """Do what is asked; whatever a case raises is an answer too."""
        try:
            match request:
                case Open():
                    await self._open(request.case)
                case Close():
                    await self._close()
                case Run():
                    return Took(await self._run(request))
        except Exception as error:  # noqa: BLE001  # it is the case that failed, not this process
            said = f"{type(error).__name__}: {error}"
            return Failed(said, traceback.format_exc())
        return Done()

    async def _open(self, case: str) -> None:
        if case not in self._cases:
            raise NoSuchCaseError(case)
        self._ready[case] = await self._stack.enter_async_context(self._cases[case].open())
        _settle()

    async def _close(self) -> None:
        self._ready.clear()
        try:
            await self._stack.aclose()
        finally:
            self._stack = AsyncExitStack()

    async def _run(self, request: Run) -> int:
        batch = self._ready[request.case]
        if request.warm_up:
            await batch(request.warm_up)
        took_ns = await batch(request.n)
        return took_ns + _burn(took_ns * (self._slower.get(request.case, 1.0) - 1))


def _settle() -> None:
    """Take what is there for no garbage. Collecting stays on: more allocations must show."""
    gc.collect()
    gc.freeze()


def _burn(ns: float) -> int:
    """Keep the CPU busy for as long, and give how long it was."""
    started = time.perf_counter_ns()
    while time.perf_counter_ns() - started < ns:
        pass
    return time.perf_counter_ns() - started if ns else 0


def _load() -> Mapping[str, Case]:
    from benchmarks.cases import CASES  # noqa: PLC0415  # what it raises is answered

    return {case.id: case for case in CASES}


async def _serve(cpu: str, send: Callable[[Answer], None]) -> None:
    try:
        bench = Bench(_load(), factors(os.environ))
    except Exception as error:  # noqa: BLE001  # the tree may lack anything
        send(Failed(f"{type(error).__name__}: {error}", traceback.format_exc()))
        return
    if cpu != ANY_CPU:  # only now: the processes of a round are loaded side by side
        os.sched_setaffinity(0, {int(cpu)})
    _settle()
    found = importlib.util.find_spec("edge")
    product = found.origin if found and found.origin else ""
    send(Hello(product))
    requests = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(requests), sys.stdin
    )
    decoder = msgspec.json.Decoder(Request)
    # The loop runs on while nothing is asked: a case may have tasks in the background.
    while line := await requests.readline():
        send(await bench.answer(decoder.decode(line)))
    await bench.answer(Close())


def main() -> None:
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    encode = msgspec.json.Encoder().encode
    uvloop.run(_serve(sys.argv[1], lambda answer: _write(answers, encode(answer))))


def _write(file: int, line: bytes) -> None:
    os.write(file, line + b"\n")


if __name__ == "__main__":
    main()
