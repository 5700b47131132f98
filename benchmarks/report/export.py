"""Results in the formats of other tools: what head takes, or the one tree that was measured."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from benchmarks.case import Unit
from benchmarks.results import Comparison, Environment, Interval, Report, Side

Format = Literal["pyperf", "pytest-benchmark", "bmf"]

_NS: Final = 1e-9  # both other formats count times in seconds
# Of the JSON that pyperf 2.x and pytest-benchmark 5.x write and read.
_PYPERF_VERSION: Final = "1.0"
_PYTEST_BENCHMARK_VERSION: Final = "5.3.1"
# Bencher knows latency, in ns, and makes a measure that it does not know.
_MEASURES: Final[Mapping[Unit, str]] = {"ns": "latency", "bytes": "memory"}


class _Values(msgspec.Struct, frozen=True):
    """What one operation takes in its unit: each pair of processes gave one of the values."""

    id: str
    group: str
    unit: Unit
    each: Sequence[float]
    operations: int = 0  # timed together; 0 is not known
    ns: Interval | None = None  # where only this is known


def export(result: Comparison | Report, format: Format) -> bytes:  # noqa: A002  # as the option is called
    """Give the result as JSON that the other tool loads; what failed is left out.

    So is memory for pytest-benchmark, which knows only seconds.
    """
    side = result.head if isinstance(result, Comparison) else result.side
    values = list(_values(result))
    made: dict[Format, Any] = {
        "pyperf": lambda: _pyperf(values, result.environment),
        "pytest-benchmark": lambda: _pytest_benchmark(values, side, result.environment),
        "bmf": lambda: {one.id: {_MEASURES[one.unit]: _bmf(one)} for one in values},
    }
    return msgspec.json.format(msgspec.json.encode(made[format]())) + b"\n"


def _values(result: Comparison | Report) -> Iterator[_Values]:
    if isinstance(result, Report):
        for case in result.cases:
            if case.error is None:
                yield _Values(case.id, case.group, case.unit, [case.ns.value], ns=case.ns)
        return
    for compared in result.cases:
        if compared.pairs:
            each = [pair.head_ns for pair in compared.pairs]
            yield _Values(compared.id, compared.group, compared.unit, each, compared.operations)


def _pyperf(values: Sequence[_Values], environment: Environment) -> dict[str, Any]:
    machine = {
        "cpu_model_name": environment.cpu,
        "platform": environment.kernel,
        "python_version": environment.python,
    }
    benchmarks = list(map(_pyperf_case, values))
    return {"version": _PYPERF_VERSION, "metadata": machine, "benchmarks": benchmarks}


def _pyperf_case(one: _Values) -> dict[str, Any]:
    unit, size = ("second", _NS) if one.unit == "ns" else ("byte", 1)
    loops = {"loops": one.operations} if one.operations else {}
    return {
        "metadata": {"name": one.id, "unit": unit} | loops,
        "runs": [{"values": [value * size]} for value in one.each],  # a run is a process
    }


def _pytest_benchmark(
    values: Sequence[_Values], side: Side, environment: Environment
) -> dict[str, Any]:
    return {
        "machine_info": {
            "cpu": {"brand_raw": environment.cpu, "count": environment.cpus},
            "release": environment.kernel,
            "python_version": environment.python,
        },
        "commit_info": {"id": side.commit, "dirty": side.dirty, "branch": side.name},
        "benchmarks": [_pytest_benchmark_case(one) for one in values if one.unit == "ns"],
        "datetime": environment.started,
        "version": _PYTEST_BENCHMARK_VERSION,
    }


def _pytest_benchmark_case(one: _Values) -> dict[str, Any]:
    known = one.ns and {"ci99_s": [one.ns.low * _NS, one.ns.high * _NS]}
    return {
        "group": one.group,
        "name": one.id,
        "fullname": one.id,
        "params": None,
        "param": None,
        "extra_info": known or {},
        "options": {},
        "stats": _statistics([ns * _NS for ns in one.each]),
    }


def _statistics(seconds: Sequence[float]) -> dict[str, Any]:
    """Give what pytest-benchmark keeps of rounds: here a round is a pair of processes."""
    several = len(seconds) > 1
    q1, median, q3 = statistics.quantiles(seconds, n=4) if several else [*seconds] * 3
    mean = statistics.fmean(seconds)
    return {
        "min": min(seconds),
        "max": max(seconds),
        "mean": mean,
        "stddev": statistics.stdev(seconds) if several else 0.0,
        "rounds": len(seconds),
        "median": median,
        "q1": q1,
        "q3": q3,
        "iqr": q3 - q1,
        "outliers": "0;0",
        "total": sum(seconds),
        "ops": 1 / mean,
        "iterations": 1,
        "data": list(seconds),
    }


def _bmf(one: _Values) -> dict[str, float]:
    """Give a metric of Bencher."""
    if one.ns:
        return {"value": one.ns.value, "lower_value": one.ns.low, "upper_value": one.ns.high}
    low, high = min(one.each), max(one.each)
    value = statistics.geometric_mean(one.each)
    return {"value": value, "lower_value": low, "upper_value": high}
