"""Every case, once and with next to nothing to do: it runs, and its results are right."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from benchmarks.case import Case, Kind
from benchmarks.cases import CASES, UNREADABLE
from benchmarks.cases.server import EDGE
from benchmarks.cases.server_peers import GRANIAN, UVICORN
from benchmarks.floors import hello
from benchmarks.material.exchange import exchange
from benchmarks.programs.program import MissingProgramError
from benchmarks.programs.redis import REDIS
from benchmarks.programs.served import Served
from benchmarks.programs.shared import Shared
from tests.support.requirements import missing

_N = 3
# What several cases ask is started once.
_KEPT: dict[str, Shared[Served]] = {
    "server/": EDGE,
    "peer/fastapi-uvicorn/": UVICORN,
    "peer/fastapi-granian/": GRANIAN,
}


class Kept(ExitStack):
    """What was started for the cases so far, and goes on until the last of them."""

    def __init__(self) -> None:
        super().__init__()
        self._prefixes: set[str] = set()

    def start_for(self, case: Case) -> None:
        for prefix, shared in _KEPT.items():
            if case.id.startswith(prefix) and prefix not in self._prefixes:
                self.enter_context(REDIS.use())
                self.enter_context(shared.use())
                self._prefixes.add(prefix)


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    with Kept() as found:
        yield found


def test_all_modules_of_cases_can_be_read() -> None:
    """No case is left out here: that is for the code of older commits."""
    assert not UNREADABLE


def test_no_two_cases_have_the_same_id() -> None:
    """A case is found by its id."""
    repeated = [name for name, count in Counter(case.id for case in CASES).items() if count > 1]
    assert not repeated


def test_what_a_case_is_compared_with_is_a_floor_or_a_peer_that_is_there() -> None:
    """A ratio needs both of its sides."""
    ids = {case.id for case in CASES}
    asked = {other for case in CASES for other in case.of}
    assert asked <= ids
    assert all(other.startswith(("floor/", "peer/")) for other in asked)


def test_floors_and_peers_are_neither_gated_nor_compared() -> None:
    """A change of ours cannot make them slower."""
    others = [case for case in CASES if case.group in ("floor", "peer")]
    assert not [case.id for case in others if case.gated or case.quick or case.of or case.growth]


def test_the_gated_core_is_small_and_mostly_one_process() -> None:
    """It is compared within a quarter of an hour."""
    kinds = Counter(case.kind for case in CASES if case.gated)
    assert kinds.total() <= 30
    assert kinds[Kind.MICRO] >= 20
    assert 1 <= kinds[Kind.SERVER] <= 2
    assert kinds[Kind.REDIS] >= 1


def test_ten_gated_cases_of_one_process_are_quick() -> None:
    """They are compared within a minute."""
    quick = [case for case in CASES if case.quick]
    assert len(quick) == 10
    assert all(case.kind is Kind.MICRO and case.gated for case in quick)


def test_a_curve_has_points_of_several_sizes() -> None:
    """What one point shows is no growth."""
    sizes = [case.growth for case in CASES if case.growth]
    assert len(set(sizes)) == len(sizes)
    assert min(Counter(curve for curve, _ in sizes).values()) >= 3


@pytest.mark.filterwarnings("ignore")  # of what peers do
@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
async def test_each_case_runs(case: Case, kept: Kept) -> None:
    """A case can be made ready, and its operations give what they should."""
    try:
        kept.start_for(case)
        async with case.open() as batch:
            assert await batch(1 if case.kind is Kind.PROCESS else _N) > 0
    except MissingProgramError as error:
        missing(error.name, error.install)


async def test_what_a_layer_adds_to_hello_is_gone_with_the_answer() -> None:
    """Or fields would pile up, and each request would cost more than the one before."""

    async def layer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  # of ASGI
        async def adding(message: dict[str, Any]) -> None:
            if "headers" in message:
                message["headers"] = [*message["headers"], (b"x-added", b"1")]
            await send(message)

        await hello.asgi(scope, receive, adding)

    answers = [await exchange("/").run(layer) for _ in range(3)]
    assert [len(answer.fields) for answer in answers] == [3, 3, 3]
