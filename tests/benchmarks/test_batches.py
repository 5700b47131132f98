"""Batches do what they say they do, as often as they say."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.batches import awaiting, calling
from benchmarks.case import WrongResultError
from benchmarks.programs.h2load import read_rate
from benchmarks.programs.shared import Shared


async def test_a_batch_makes_as_many_calls_as_it_was_asked_for() -> None:
    """Beside the first look at all inputs, which is not timed."""
    made: list[int] = []
    batch = calling(made.append, range(4), lambda result: result is None)
    made.clear()
    assert await batch(1300) > 0
    assert len(made) == 1300
    assert set(made) == {0, 1, 2, 3}


async def test_no_input_is_met_twice_between_two_resets() -> None:
    """What must be new each time is."""
    seen: set[int] = set()

    def see(number: int) -> bool:
        is_new = number not in seen
        seen.add(number)
        return is_new

    batch = calling(see, range(10), bool, reset=seen.clear)
    assert await batch(35) > 0
    assert seen == set(range(5))
    assert await batch(4) > 0
    assert seen == set(range(9))


async def test_a_batch_goes_on_where_the_one_before_ended() -> None:
    """Else short batches would measure the first few inputs for ever."""
    made: list[int] = []
    batch = calling(made.append, range(1000), lambda result: result is None)
    made.clear()
    for _ in range(5):
        await batch(300)
    assert made == [number % 1000 for number in range(1500)]


async def test_an_input_whose_result_is_wrong_is_found_before_anything_is_timed() -> None:
    """Faster because wrong does not pass."""
    with pytest.raises(WrongResultError):
        calling(lambda number: number, [1, 2, 0, 3], bool)


async def test_a_result_that_becomes_wrong_is_found() -> None:
    """Each batch looks at its last result."""
    answers = iter([True] * 4 + [False] * 4)
    batch = calling(lambda _: next(answers), range(4), bool)
    with pytest.raises(WrongResultError):
        await batch(4)


@pytest.mark.parametrize("in_flight", [1, 3, 8])
async def test_so_many_coroutines_are_in_flight_and_no_more(in_flight: int) -> None:
    """The number in the name of a case is the number under way."""
    under_way, most, made = 0, 0, 0

    async def ask(_: int) -> bool:
        nonlocal under_way, most, made
        under_way, made = under_way + 1, made + 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return True

    batch = awaiting(ask, range(5), bool, in_flight=in_flight)
    assert await batch(20) > 0
    assert (most, made) == (in_flight, 20)


async def test_a_wrong_answer_of_a_coroutine_is_found() -> None:
    """As a wrong result is."""

    async def ask(_: int) -> bool:
        return False

    with pytest.raises(WrongResultError):
        await awaiting(ask, [1], bool)(1)


_H2LOAD = """
finished in 1.50s, 2000.00 req/s, 1.00MB/s
requests: 3000 total, 3000 started, 3000 done, 3000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: {ok} 2xx, 0 3xx, {bad} 4xx, 0 5xx
"""


@pytest.mark.parametrize(
    ("output", "status"),
    [
        (_H2LOAD.format(ok=2999, bad=1), 200),
        (_H2LOAD.format(ok=1, bad=2999), 401),
        ("connection refused", 200),
    ],
)
def test_a_burst_with_one_other_answer_is_no_measurement(output: str, status: int) -> None:
    """A server that refuses is fast."""
    with pytest.raises(WrongResultError):
        read_rate(output, status, 3000)


def test_a_burst_takes_as_long_as_its_rate_says() -> None:
    """By its rate, which has more digits than its time."""
    assert read_rate(_H2LOAD.format(ok=3000, bad=0), 200, 3000) == 1_500_000_000


def test_what_is_shared_is_open_from_the_first_to_the_last_user() -> None:
    """And opened anew for the next."""
    log: list[str] = []

    @contextmanager
    def opening() -> Iterator[int]:
        log.append("open")
        yield len(log)
        log.append("close")

    shared = Shared(opening)
    with shared.use() as first, shared.use() as second:
        assert first == second
    with shared.use() as third:
        assert third != first
    assert log == ["open", "close", "open", "close"]
