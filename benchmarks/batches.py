"""Batches made of an operation and prepared inputs."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from time import perf_counter_ns
from typing import Final, TypeVar

from benchmarks.case import Batch, WrongResultError

_Input = TypeVar("_Input")
_Result = TypeVar("_Result")
Opening = Callable[[], AbstractAsyncContextManager[Batch]]

# So many operations between two looks at the clock that these are not seen.
_LEAST_INPUTS: Final = 512


def _nothing() -> None:
    pass


def calling(
    call: Callable[[_Input], _Result],
    inputs: Sequence[_Input],
    is_right: Callable[[_Result], bool],
    *,
    reset: Callable[[], None] | None = None,
) -> Batch:
    """Make a batch of calls, each with the next input.

    All inputs are tried once at first, and the last result of each batch is looked at. A batch goes
    on where the one before ended. A `reset` is called before the first input, each time that it is
    its turn, so that none is met twice.
    """
    before = reset or _nothing
    before()
    for one in inputs:
        _check(call(one), is_right)
    turns = inputs if reset else list(inputs) * -(-_LEAST_INPUTS // len(inputs))
    position = 0

    async def batch(n: int) -> int:
        nonlocal position
        took_ns, left = 0, n
        while left > 0:
            if position == 0:
                before()
            part = turns[position : position + left]
            position = (position + len(part)) % len(turns)
            left -= len(part)
            result = None
            started = perf_counter_ns()
            for one in part:
                result = call(one)
            took_ns += perf_counter_ns() - started
            _check(result, is_right)  # type: ignore[arg-type]  # there is one input at least
        return took_ns

    return batch


def awaiting(
    ask: Callable[[_Input], Awaitable[_Result]],
    inputs: Sequence[_Input],
    is_right: Callable[[_Result], bool],
    *,
    in_flight: int = 1,
) -> Batch:
    """Make a batch of coroutines, so many of them in flight, each with the next input."""
    turns = itertools.cycle(inputs)

    async def batch(n: int) -> int:
        chosen = iter(list(itertools.islice(turns, n)))
        started = perf_counter_ns()
        lasts = await asyncio.gather(*(_ask_all(ask, chosen) for _ in range(in_flight)))
        took_ns = perf_counter_ns() - started
        for last in lasts:
            for result in last:
                _check(result, is_right)
        return took_ns

    return batch


async def _ask_all(
    ask: Callable[[_Input], Awaitable[_Result]], inputs: Iterator[_Input]
) -> list[_Result]:
    """Ask with what is left of the inputs; gives the last result, if there is one."""
    last: list[_Result] = []
    for one in inputs:
        last = [await ask(one)]
    return last


def ready(make: Callable[[], Batch]) -> Opening:
    """Give the opening of a case that leaves nothing behind."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Batch]:
        yield make()

    return opened


def within(
    beside: Callable[[], AbstractContextManager[_Result]], make: Callable[[_Result], Batch]
) -> Opening:
    """Give the opening of a case that needs something beside it."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Batch]:
        with beside() as found:
            yield make(found)

    return opened


def _check(result: _Result, is_right: Callable[[_Result], bool]) -> None:
    if not is_right(result):
        message = f"the result is {result!r}"
        raise WrongResultError(message)
