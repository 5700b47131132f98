"""How numbers are written in reports."""

import re
from collections.abc import Callable

import pytest

from benchmarks.report import html, markdown, terminal
from benchmarks.report.figures import amount, change, change_range, percent, spread, times
from benchmarks.results import Comparison, Interval, Report
from tests.support.benchmark_results import every_verdict, ran

DURATIONS = [
    (None, ""),
    (0.0, "0 ns"),
    (0.1234, "0.123 ns"),
    (9.999, "10.0 ns"),
    (315.4, "315 ns"),
    (999.4, "999 ns"),
    (999.6, "1.00 us"),
    (93_100.0, "93.1 us"),
    (4_071_234.0, "4.07 ms"),
    (12_345_678_900.0, "12.3 s"),
    (4e12, "4,000 s"),
]

CHANGES = [
    (1.056, "+5.6 %"),
    (0.919, "-8.1 %"),
    (1.0, "+0.0 %"),
    (0.99999, "+0.0 %"),
    (1.994, "+99.4 %"),
    (2.0, "2.00 x"),
    (3.142, "3.14 x"),
    (0.25, "0.250 x"),
    (float("inf"), "inf x"),
]


@pytest.mark.parametrize(("ns", "shown"), DURATIONS)
def test_a_time_has_three_digits_and_the_unit_that_fits(ns: float | None, shown: str) -> None:
    """Also where rounding makes it the next unit."""
    assert amount(ns) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [(None, ""), (0.0, "0 B"), (1020.0, "1,020 B"), (1126.0, "1.10 KiB"), (112e6, "107 MiB")],
)
def test_memory_is_written_as_memory(size: float | None, shown: str) -> None:
    """In the units of memory, of which each is 1,024 times the one before."""
    assert amount(size, "bytes") == shown


@pytest.mark.parametrize("shown", [terminal, markdown, html])
@pytest.mark.parametrize("result", [every_verdict(), ran()])
def test_no_report_shows_memory_as_time(
    shown: Callable[[Comparison | Report], str], result: Comparison | Report
) -> None:
    """A worker of 107 MiB takes no 112 ms."""
    lines = [one for one in shown(result).splitlines() if "memory/worker" in one]

    assert any(re.search(r"1\d\d MiB", line) for line in lines)
    assert not any(re.search(r"\d [mun]?s\b", line) for line in lines)


@pytest.mark.parametrize(("ratio", "shown"), CHANGES)
def test_a_change_is_percent_and_a_great_one_a_multiple(ratio: float, shown: str) -> None:
    """The sign is always there, and none is never negative."""
    assert change(ratio) == shown


def test_intervals_are_written_with_their_ends() -> None:
    """As a range of changes, or as the reach to the farther side."""
    assert change_range(Interval(1.056, 1.044, 1.068)) == "+4.4 % .. +6.8 %"
    assert spread(Interval(100.0, 98.0, 101.0)) == "± 2.0 %"
    assert spread(Interval(0.0, 0.0, 0.0)) == ""
    assert percent(0.004) == "0.4 %"
    assert spread(Interval(100.0, 10.0, 1184.1)) == "not known"
    assert times(18.64) == "18.6 x"
