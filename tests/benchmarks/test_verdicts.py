"""What a whole comparison says, and its exit code."""

import pytest

from benchmarks.results import Verdict
from benchmarks.verdicts import exit_code, whole

OK, SLOWER, FASTER = Verdict.OK, Verdict.REGRESSED, Verdict.IMPROVED
UNSURE, NEW, REMOVED = Verdict.INCONCLUSIVE, Verdict.NEW, Verdict.REMOVED
FAILED, INVALID = Verdict.FAILED, Verdict.INVALID


@pytest.mark.parametrize(
    ("cases", "said", "code", "strict_code"),
    [
        ([OK, OK], OK, 0, 0),
        ([OK, NEW], OK, 0, 0),
        ([OK, FASTER], FASTER, 0, 0),
        ([FASTER, UNSURE], UNSURE, 0, 4),
        ([OK, SLOWER, FASTER, UNSURE], SLOWER, 1, 1),
        ([SLOWER, REMOVED], REMOVED, 3, 3),
        ([SLOWER, REMOVED, FAILED], FAILED, 3, 3),
        ([NEW, NEW], FAILED, 3, 3),  # nothing was compared
        ([], FAILED, 3, 3),
    ],
)
def test_the_heaviest_verdict_is_that_of_the_whole(
    cases: list[Verdict], said: Verdict, code: int, strict_code: int
) -> None:
    """A failure before a regression; and a comparison of nothing is a failure."""
    named = {str(number): case for number, case in enumerate(cases)}
    found = whole(named, named, is_control_off=False)
    assert found is said
    assert exit_code(found, is_strict=False) == code
    assert exit_code(found, is_strict=True) == strict_code


@pytest.mark.parametrize("case", [OK, SLOWER, FASTER, UNSURE])
def test_nothing_counts_where_base_differs_from_itself(case: Verdict) -> None:
    """Neither that all is well, nor that something is slower: exit code 4."""
    found = whole({"a": case}, ["a"], is_control_off=True)
    assert found is INVALID
    assert exit_code(found, is_strict=False) == 4


def test_a_case_that_was_not_measured_is_a_failure() -> None:
    """However good the others are."""
    assert whole({"a": OK}, ["a", "b"], is_control_off=False) is FAILED
