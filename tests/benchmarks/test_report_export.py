"""What other tools get: they load it themselves."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyperf
import pytest

from benchmarks.report import Format, export
from benchmarks.results import Comparison, Report
from tests.support.benchmark_results import case, comparison, every_verdict, ran

BOTH: list[Comparison | Report] = [every_verdict(), ran()]
NAMES = [
    {one.id for one in every_verdict().cases if one.pairs},
    {one.id for one in ran().cases if one.error is None},
]
MEMORY = "memory/worker"

RESULTS = list(zip(BOTH, NAMES, strict=True))


def exported(result: Comparison | Report, format_: Format) -> Any:  # noqa: ANN401  # JSON of others
    return json.loads(export(result, format_))


@pytest.mark.parametrize(("result", "names"), RESULTS)
def test_pyperf_loads_it(result: Comparison | Report, names: set[str]) -> None:
    """Each case that was measured, with each pair of processes as a run of its own."""
    suite = pyperf.BenchmarkSuite.load(io.StringIO(export(result, "pyperf").decode()))

    assert set(suite.get_benchmark_names()) == names
    assert {one.get_name(): one.get_unit() for one in suite}[MEMORY] == "byte"
    assert suite.get_benchmark(MEMORY).mean() == pytest.approx(112e6, rel=0.1)


def test_pyperf_sees_head() -> None:
    """In seconds, and as many operations to a run as were timed together."""
    one = case("verify/a")
    loaded = pyperf.BenchmarkSuite.load(
        io.StringIO(export(comparison([one]), "pyperf").decode())
    ).get_benchmark("verify/a")

    assert loaded.get_values() == pytest.approx([pair.head_ns * 1e-9 for pair in one.pairs])
    assert loaded.get_nrun() == len(one.pairs)
    assert loaded.get_loops() == one.operations


def test_pytest_benchmark_compares_them(tmp_path: Path) -> None:
    """Its own command shows each time that was measured; of memory it would say seconds."""
    paths = [str(tmp_path / f"000{number}_result.json") for number in (1, 2)]
    for path, result in zip(paths, BOTH, strict=True):
        Path(path).write_bytes(export(result, "pytest-benchmark"))
    table = tmp_path / "table.csv"
    command = [sys.executable, "-m", "pytest_benchmark", "compare", *paths, f"--csv={table}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    shown = [line.split(",")[0] for line in table.read_text().splitlines()[1:]]

    assert done.returncode == 0, done.stderr
    assert set(shown) == (NAMES[0] | NAMES[1]) - {MEMORY}
    assert len(shown) == len(NAMES[0]) + len(NAMES[1]) - 2


def test_statistics_of_pytest_benchmark_are_those_of_the_pairs() -> None:
    """A round is a pair of processes, in seconds."""
    one = case("verify/a")
    seconds = sorted(pair.head_ns * 1e-9 for pair in one.pairs)
    stats = exported(comparison([one]), "pytest-benchmark")["benchmarks"][0]["stats"]

    assert stats["rounds"] == len(seconds)
    assert (stats["min"], stats["max"]) == pytest.approx((seconds[0], seconds[-1]))
    assert stats["median"] == pytest.approx((seconds[5] + seconds[6]) / 2)
    assert sorted(stats["data"]) == pytest.approx(seconds)


@pytest.mark.parametrize(("result", "names"), RESULTS)
def test_bencher_gets_a_metric_of_each_case(result: Comparison | Report, names: set[str]) -> None:
    """Benchmark, measure, then value with its bounds: nanoseconds of latency, bytes of memory."""
    found = exported(result, "bmf")

    assert set(found) == names
    for name, measures in found.items():
        metric = measures["memory" if name == MEMORY else "latency"]
        assert set(metric) == {"value", "lower_value", "upper_value"}
        assert metric["lower_value"] <= metric["value"] <= metric["upper_value"]
