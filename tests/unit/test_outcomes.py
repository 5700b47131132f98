"""What experiments make of answers: lost, told to wait, let in."""

import pytest

from tests.support.outcomes import Ask, Outcome, Report, percentile

SERVED, REFUSED = Ask("/", 200), Ask("/", 401)


@pytest.mark.parametrize(
    ("outcome", "what"),
    [
        (Outcome(SERVED, 200, 0, 0), ""),
        (Outcome(REFUSED, 401, 0, 0), ""),
        (Outcome(SERVED, 0, 0, 0), "lost"),
        (Outcome(SERVED, 401, 0, 0), "lost"),
        (Outcome(SERVED, 503, 0, 0), "lost"),
        (Outcome(REFUSED, 403, 0, 0), "lost"),
        (Outcome(SERVED, 503, 0, 0, has_retry_after=True), "delayed"),
        (Outcome(REFUSED, 503, 0, 0, has_retry_after=True), "delayed"),
        (Outcome(REFUSED, 200, 0, 0), "unsafe"),
        (Outcome(REFUSED, 204, 0, 0), "unsafe"),
        (Outcome(SERVED, 200, 0, 0, is_crossed=True), "unsafe"),
    ],
)
def test_each_outcome_is_one_thing(outcome: Outcome, what: str) -> None:
    """Whoever should be refused and is served was let in, as was who got somebody else's answer."""
    found = {"lost": outcome.is_lost, "delayed": outcome.is_delayed, "unsafe": outcome.is_unsafe}
    assert [name for name, holds in found.items() if holds] == what.split()


def test_times_are_those_of_clients_and_of_operators() -> None:
    """Detected is when the first of them noticed, recovered when the last of them saw it well."""
    hurt = [Outcome(SERVED, 0, at_s, 0) for at_s in (3, 9)]
    report = Report("F", [Outcome(SERVED, 200, 1, 0), *hurt], 2, 8, seen_s=(2.5, 8.5))
    assert (report.detected_s, report.recovered_s) == (0.5, 1)
    assert Report("F", [Outcome(SERVED, 200, 1, 0)], 2, 8).detected_s is None
    assert "noticed by nobody" in Report("F", [], 2, 8).line()


def test_a_percentile_is_one_of_the_times() -> None:
    """Of a hundred, the 99th share is the slowest but one at most."""
    outcomes = [Outcome(SERVED, 200, 0, number) for number in range(100)]
    assert [percentile(outcomes, share) for share in (0, 0.5, 0.99, 1)] == [0, 50, 99, 99]
    assert percentile([], 0.5) == 0
