"""How processes take turns, and what one of them does when it is asked."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import pytest

from benchmarks.case import Batch, Case, WrongResultError
from benchmarks.harness.inject import factors, written
from benchmarks.harness.lockstep import alternate
from benchmarks.harness.plan import PLANS, Plan, calibrate, quick, warm_up
from benchmarks.harness.protocol import Close, Done, Failed, Open, Run, Took
from benchmarks.harness.worker import Bench


@pytest.mark.parametrize(
    ("names", "first", "order"),
    [("AB", 0, "ABBAAB"), ("AB", 1, "BAABBA"), ("ABC", 0, "ABCBCACAB")],
)
def test_the_one_that_starts_changes_with_each_batch(names: str, first: int, order: str) -> None:
    """Whoever comes first in a pair has the caches of the other one."""
    said: list[str] = []

    def run(name: str) -> int:
        said.append(name)
        return len(said)

    took_ns = alternate([partial(run, name) for name in names], 3, first)
    assert "".join(said) == order
    for name, turns in zip(names, took_ns, strict=True):
        assert [order[turn - 1] for turn in turns] == [name] * 3


@pytest.mark.parametrize("operation_ns", [3, 80, 5000, 700_000, 9_000_000])
@pytest.mark.parametrize("first", [1, 512])
def test_a_batch_takes_what_its_plan_says(operation_ns: int, first: int) -> None:
    """Four milliseconds, whatever the operation takes; one operation at least."""
    n = calibrate(lambda n: n * operation_ns, Plan(4_000_000, 100, first))
    assert n == max(1, round(4_000_000 / operation_ns))


def test_a_slow_first_batch_does_not_make_all_of_them_short() -> None:
    """What is measured is what comes later, and the middle one of it."""
    slow_at_first = iter([9_000_000, 5_000, 900_000, 4_000])
    assert calibrate(lambda _: next(slow_at_first), Plan(10_000, 100, 4)) == 8


def test_a_start_is_an_operation_of_its_own() -> None:
    """A plan without a length has batches of one."""
    assert calibrate(lambda n: n * 10**9, Plan(0, 6, 1)) == 1


def test_small_batches_are_warmed_up_and_long_ones_are_not() -> None:
    """A twentieth of the operations."""
    assert warm_up(Plan(1, 1, 1, has_warm_up=True), 400) == 20
    assert warm_up(Plan(1, 1, 1), 400) == 0


def test_a_quick_plan_has_fewer_batches() -> None:
    """Of the same length, and one at least."""
    assert quick(Plan(7, 100, 1)) == Plan(7, 40, 1)
    assert quick(Plan(7, 1, 1)).batches == 1
    assert all(quick(plan).batches >= 2 for plan in PLANS.values())


@pytest.mark.parametrize("text", ["x", "x:", ":1.05", "x:y", "x:0.9", "x:inf", "x:nan", "a:2,b"])
def test_nonsense_in_the_injection_is_refused(text: str) -> None:
    """A positive control that makes nothing slower would say that all is well."""
    with pytest.raises(ValueError, match="EDGE_BENCH_INJECT"):
        factors({"EDGE_BENCH_INJECT": text})


def test_injections_are_read_as_they_are_written() -> None:
    """Any number of them, also none."""
    slower = {"verify/a": 1.05, "limits/b:c": 2.0}
    assert factors({"EDGE_BENCH_INJECT": written(slower)}) == slower
    assert factors({}) == {}


def bench(slower: Mapping[str, float] | None = None, *, is_right: bool = True) -> Bench:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Batch]:
        async def batch(n: int) -> int:
            if not is_right:
                message = "not 42"
                raise WrongResultError(message)
            return n * 1_000_000

        yield batch

    return Bench({"case": Case(id="case", open=opened)}, slower or {})


async def test_a_worker_opens_a_case_and_runs_it() -> None:
    """As often as asked, and closes it."""
    worker = bench()
    assert await worker.answer(Open("case")) == Done()
    assert await worker.answer(Run("case", 3, 1)) == Took(3_000_000)
    assert await worker.answer(Close()) == Done()
    assert isinstance(await worker.answer(Run("case", 3, 1)), Failed)


async def test_what_a_case_raises_is_an_answer() -> None:
    """A wrong result is no time, however short; and the worker goes on."""
    worker = bench(is_right=False)
    await worker.answer(Open("case"))
    answer = await worker.answer(Run("case", 1, 0))
    assert isinstance(answer, Failed)
    assert answer.error == "WrongResultError: not 42"
    unknown = await worker.answer(Open("other"))
    assert isinstance(unknown, Failed)
    assert unknown.error == "NoSuchCaseError: other"


async def test_an_injection_takes_real_time() -> None:
    """Half as long again, by the clock."""
    worker = bench({"case": 1.5})
    await worker.answer(Open("case"))
    started = time.perf_counter_ns()
    answer = await worker.answer(Run("case", 4, 0))
    assert time.perf_counter_ns() - started >= 2_000_000
    assert isinstance(answer, Took)
    assert answer.ns >= 6_000_000
