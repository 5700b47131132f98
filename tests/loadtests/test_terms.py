"""`slo.toml`: read as a whole, and wrong as a whole."""

from pathlib import Path

import pytest

from loadtests.__main__ import SCENARIOS
from loadtests.terms import Bound, Objective, TermsError, read_terms

OWN = Path(__file__).parents[2] / "loadtests/slo.toml"
GOOD = """
[ci]
run_time_s = 60
start_lag_p99_ms = 50
[ci.verify]
users = 5
shape = "spike"
[ci.verify.row]
p50_ms = "3 * floor + 5"
p999_ms = 25
error_ratio = 0
"""
WRONG = """
stray = 1
[ci]
run_time = 60
users = -1
warm_up_s = 1.5
[ci.verify]
shape = "wave"
min_requests = true
[ci.verify.row]
p99 = 3
p99_ms = "fast"
achieved_ratio = -1
"""


def terms_file(folder: Path, text: str) -> Path:
    file = folder / "slo.toml"
    file.write_text(text)
    return file


def test_a_scenario_has_the_terms_of_its_profile_and_its_own(tmp_path: Path) -> None:
    """Its own count more, and objectives are of it alone."""
    file = terms_file(tmp_path, GOOD)
    terms = read_terms(file, "ci", "verify")
    assert (terms.run_time_s, terms.users, terms.shape) == (60, 5, "spike")
    assert terms.start_lag_p99_ms == 50
    assert terms.objectives == (
        Objective("row", "p50_ms", Bound(5, 3)),
        Objective("row", "p999_ms", Bound(25)),
        Objective("row", "error_ratio", Bound(0)),
    )
    assert [one.share for one in terms.objectives] == [0.5, 0.999, None]
    assert read_terms(file, "ci", "another").objectives == ()


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Whoever writes such a file does not mend it one error after the other."""
    with pytest.raises(TermsError) as raised:
        read_terms(terms_file(tmp_path, WRONG), "release", "verify")
    places = ["stray", "ci", "ci", "ci", "ci.verify", "ci.verify", *["ci.verify.row"] * 3, "there"]
    assert [problem.split(":")[0].split()[0] for problem in raised.value.problems] == places


@pytest.mark.parametrize("text", ["[ci", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    """With what is wrong with it."""
    file = tmp_path / "slo.toml" if text is None else terms_file(tmp_path, text)
    with pytest.raises(TermsError, match=r"slo\.toml"):
        read_terms(file, "ci", "verify")


@pytest.mark.parametrize("profile", ["ci", "staging", "release"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_our_own_file_has_each_scenario_in_each_profile(profile: str, scenario: str) -> None:
    """With objectives."""
    assert read_terms(OWN, profile, scenario).objectives
