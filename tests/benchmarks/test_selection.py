"""Which cases are meant by a command line."""

import pytest

from benchmarks.case import Kind
from benchmarks.harness.errors import UsageError
from benchmarks.harness.protocol import Described
from benchmarks.selection import parse, some, to_compare, to_run


def case(name: str, *of: str, gated: bool = False, quick: bool = False) -> Described:
    return Described(
        id=name, kind=Kind.MICRO, gated=gated, quick=quick, of=list(of), growth=None, unit="ns"
    )


CASES = [
    case("verify/cold", "floor/hmac", gated=True, quick=True),
    case("verify/warm", "floor/hmac", "peer/pyjwt", gated=True),
    case("limits/redis"),
    case("floor/hmac"),
    case("peer/pyjwt"),
    case("floor/haproxy"),
]


def ids(cases: list[Described]) -> list[str]:
    return [one.id for one in cases]


@pytest.mark.parametrize(
    ("expression", "fitting"),
    [
        ("verify", ["verify/cold", "verify/warm"]),
        ("verify and not cold", ["verify/warm"]),
        ("not (verify or floor) and r", ["limits/redis", "peer/pyjwt"]),
        ("redis or pyjwt or cold", ["verify/cold", "limits/redis", "peer/pyjwt"]),
        ("verify/warm", ["verify/warm"]),
        ("not not redis", ["limits/redis"]),
    ],
)
def test_an_expression_chooses_by_parts_of_ids(expression: str, fitting: list[str]) -> None:
    """With `and` before `or`, as pytest has it."""
    fits = parse(expression)
    assert [one.id for one in CASES if fits(one.id)] == fitting


@pytest.mark.parametrize("expression", ["", "and", "a and", "(a", "a)", "a b", "not", "or a", "()"])
def test_an_expression_that_cannot_be_read_is_refused(expression: str) -> None:
    """It is not taken for something else."""
    with pytest.raises(UsageError, match="cannot be read"):
        parse(expression)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, ["verify/cold", "verify/warm"]),
        ({"is_quick": True}, ["verify/cold"]),
        ({"is_all": True}, ["verify/cold", "verify/warm", "limits/redis"]),
        ({"expression": "redis or floor"}, ["limits/redis"]),
        ({"expression": "warm", "is_quick": True}, ["verify/warm"]),
    ],
)
def test_a_comparison_is_of_the_core_unless_more_is_asked_for(
    options: dict[str, object], chosen: list[str]
) -> None:
    """Never of what Edge is compared with: that is the same on both sides."""
    asked = {"expression": None, "is_quick": False, "is_all": False} | options
    assert ids(to_compare(CASES, **asked)) == chosen  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        (None, ["verify/cold", "verify/warm", "limits/redis", "floor/haproxy"]),
        ("warm or pyjwt", ["verify/warm"]),
        ("pyjwt", ["peer/pyjwt"]),
    ],
)
def test_a_floor_is_measured_beside_its_case(expression: str | None, chosen: list[str]) -> None:
    """And for itself only where no case has it."""
    assert ids(to_run(CASES, expression=expression, is_quick=False)) == chosen


@pytest.mark.parametrize(
    ("expression", "chosen"), [(None, ["verify/cold"]), ("warm", ["verify/warm"])]
)
def test_a_quick_run_is_of_the_quick_cases_or_of_those_asked_for(
    expression: str | None, chosen: list[str]
) -> None:
    """Whoever names a case wants it, only sooner."""
    assert ids(to_run(CASES, expression=expression, is_quick=True)) == chosen


def test_no_case_at_all_is_wrong_usage() -> None:
    """Said with what was asked for."""
    with pytest.raises(UsageError, match="-k 'nix'"):
        some([], "nix")
