"""The report on a terminal."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.outputs import encode
from benchmarks.report import terminal
from benchmarks.results import Verdict
from tests.benchmarks.conftest import ROOT
from tests.support.benchmark_results import case, comparison, every_verdict, ran, without_ratio


def test_the_verdict_comes_first_and_the_worst_case_next() -> None:
    """The table is in the order in which one acts."""
    shown = terminal(every_verdict()).splitlines()
    words = [line.split()[-1] for line in shown[5:18]]

    assert shown[0].startswith("▲ REGRESSED: 1 failed · 1 regressed")
    assert words[:3] == ["failed", "regressed", "gated)"]
    assert words[-7:] == ["ok"] * 7
    assert "refresh/sqlite: WrongResultError: other claims" in shown


def test_columns_are_aligned() -> None:
    """Verdicts stand below each other, whatever the length of names and numbers."""
    shown = terminal(comparison([case("a"), case("a/much/longer/name", change=0.5)]))
    head, *rows = shown.splitlines()[4:]

    assert {row.index("● ok") for row in rows} == {head.index("verdict")}
    assert len({row.index(" us  ") for row in rows} | {head.index("base") + 1}) == 1


def test_colour_is_only_where_it_is_wanted() -> None:
    """A file or a terminal with NO_COLOR gets none; the text is the same."""
    for result in (every_verdict(), ran()):
        coloured = terminal(result, colour=True)

        assert "\033" not in terminal(result)
        assert "\033[1;31m" in coloured
        assert re.sub(r"\033\[[\d;]+m", "", coloured) == terminal(result)


def test_names_cannot_steer_the_terminal() -> None:
    """Results may come from others: escape sequences are blanks."""
    hostile = "a\033[2J\r\nb\u202ec"
    failed = without_ratio(hostile, Verdict.FAILED, hostile)
    shown = terminal(comparison([failed], dependencies=[hostile]))

    assert "a [2J  b c: a [2J  b c" in shown
    assert not set("\033\r\u202e") & set(shown)


def test_a_comparison_of_nothing_says_so_and_errors_are_short() -> None:
    """Base may be so old that it has none of the cases; a trace ends with what it is about."""
    error = f"base: RuntimeError: {'x' * 5000} ImportError: no KeySource"
    shown = terminal(comparison([without_ratio("a/b", Verdict.NEW, error)], Verdict.FAILED))

    assert "FAILED: 1 new\n" in shown
    assert "nothing could be compared; A/A control ok" in shown
    assert re.search(r"a/b: base: RuntimeError: x+…x+ ImportError: no KeySource\n", shown)
    assert len(shown) < 1000


def test_a_run_shows_time_and_multiples() -> None:
    """Case by case in its group, and what failed."""
    shown = terminal(ran())

    assert re.search(r"verify/hs256/cold +8\.04 us +± 2\.0 % +primitive-hs256 3\.32 x", shown)
    assert re.search(r"rate_limit/redis/log/1_in_flight +failed +RedisError: it is away", shown)
    assert "verify among signing keys: From 1 to 100: 8.04 us to 8.26 us, 1.03 x" in shown


@pytest.mark.parametrize(("no_color", "begins"), [("", b"\033[1;31m"), ("1", b"\xe2")])
def test_a_person_sees_colours_unless_they_are_switched_off(
    tmp_path: Path, no_color: str, begins: bytes
) -> None:
    """On a terminal, which a pipe is not."""
    file = tmp_path / "result.json"
    file.write_bytes(encode(every_verdict()))
    command = [sys.executable, "-m", "benchmarks", "report", str(file)]
    environment = {**os.environ, "NO_COLOR": no_color}
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb") as shown:
        subprocess.run(command, cwd=ROOT, env=environment, stdout=theirs, check=True)
        os.close(theirs)
        first = shown.readline()
    piped = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)

    assert b"REGRESSED" in first
    assert first.startswith(begins)
    assert b"\033[" not in piped.stdout
