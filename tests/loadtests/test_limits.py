"""Who was let through too often: an oracle that never accuses wrongly."""

import random

import pytest

from loadtests.ledger import Ledger
from loadtests.limits import check_admitted, most_in_window


@pytest.mark.parametrize(
    ("times", "most"),
    [
        ([], 0),
        ([(0, 1), (1, 2), (2, 3)], 3),
        ([(0, 1), (5, 6), (11, 12)], 2),
        ([(0, 11)], 0),  # may have been decided at any moment of eleven seconds
        ([(0, 0.1), (0, 12), (9.8, 9.9)], 2),
        ([(0, 0), (10, 10), (20, 20), (20.5, 21)], 2),
    ],
)
def test_only_what_lay_in_one_window_as_a_whole_counts(
    times: list[tuple[float, float]], most: int
) -> None:
    """Of ten seconds."""
    assert most_in_window(times, 10) == most


def test_it_counts_as_the_slow_way_does() -> None:
    """For each request as the first of a window, all that lie in it."""
    chance = random.Random(7)  # noqa: S311  # no secret
    times = [(began, began + chance.expovariate(1)) for began in chance.choices(range(50), k=200)]
    slow = max(
        sum(begin <= other and ended <= begin + 8 for other, ended in times) for begin, _ in times
    )
    assert most_in_window(times, 8) == slow


def test_a_tenth_too_much_is_seen_over_all_workers() -> None:
    """Neither of two workers saw more than the limit."""
    ledger = Ledger(admitted={"key": [(number / 100, number / 100 + 0.01) for number in range(44)]})
    assert check_admitted(ledger, 40, 60) == []
    [check] = ledger.checks.values()
    assert (check.broken, check.examples) == (1, ["key: 44"])


def test_whoever_never_came_to_the_limit_shows_nothing() -> None:
    """Such a run is not valid, rather than passed."""
    ledger = Ledger(admitted={"key": [(0, 1)] * 30})
    assert check_admitted(ledger, 40, 60) == ["no abuser came to the limit of 40, only to 30"]
