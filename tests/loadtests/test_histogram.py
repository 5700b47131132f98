"""Latencies are kept with three significant digits."""

import random

import pytest

from loadtests.histogram import Histogram, add, merged, percentile, three_digits


@pytest.mark.parametrize(
    ("given", "kept"),
    [(0.0, 0.0), (-1.0, 0.0), (0.012345, 0.0123), (1.5149, 1.51), (99.96, 100), (123456.0, 123000)],
)
def test_three_digits_are_kept(given: float, kept: float) -> None:
    """Whatever the size."""
    assert three_digits(given) == kept


def test_a_rounded_time_is_wrong_by_half_a_percent_at_most() -> None:
    """And of all times between 10 µs and a minute there are some thousand keys, not millions."""
    chance = random.Random(1)  # noqa: S311  # no secret
    times = [10 ** chance.uniform(-2, 4.8) for _ in range(20_000)]
    assert all(abs(three_digits(time) / time - 1) <= 0.005 for time in times)
    assert len({three_digits(time) for time in times}) < 7000


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.9, 90), (0.99, 99), (0.999, 100), (1.0, 100)]
)
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    """Of one to a hundred the 99th percentile is 99."""
    histogram: Histogram = {}
    for time in range(1, 101):
        add(histogram, time)
    assert percentile(histogram, share) == expected
    assert percentile({}, share) == 0


def test_histograms_add_up() -> None:
    """What two workers counted is one histogram."""
    assert merged([{1.5: 2, 3.0: 1}, {3.0: 4}]) == {1.5: 2, 3.0: 5}
