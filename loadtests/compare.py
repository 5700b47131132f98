"""Two versions side by side: the medians of several runs of each, by name.

Machines differ from hour to hour, so each time is also held against the floor of its own run.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from loadtests.verdict import FLOOR, Outcome

_SHARES: Final = ("p50_ms", "p95_ms", "p99_ms")


def compare(before: Path, after: Path) -> str:
    """Give a table of the runs below two folders.

    Raises:
        ValueError: a folder has no valid run, or a run had another scenario.
    """
    runs = [_runs(folder) for folder in (before, after)]
    scenarios = {run["scenario"] for both in runs for run in both}
    if len(scenarios) > 1:
        message = f"different scenarios cannot be compared: {', '.join(sorted(scenarios))}"
        raise ValueError(message)
    counts = " and ".join(str(len(both)) for both in runs)
    lines = [
        f"{scenarios.pop()}: medians of {counts} runs",
        "",
        "| | before, ms | after, ms | after / before | the same, in floors |",
        "|---|---|---|---|---|",
        *_lines(*runs),
    ]
    return "\n".join(lines)


def _runs(folder: Path) -> list[dict[str, Any]]:
    """Read the runs below a folder; what is not valid says nothing."""
    found = [json.loads(file.read_text()) for file in sorted(folder.rglob("verdict.json"))]
    valid = [run for run in found if run["exit_code"] != Outcome.INVALID]
    if not valid:
        message = f"{folder} has no valid run"
        raise ValueError(message)
    return valid


def _lines(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    names = set.intersection(*(set(run["rows"]) for run in [*before, *after]))
    for name in sorted(names):
        for share in _SHARES:
            old, new = (_median(runs, name, share, in_floors=False) for runs in (before, after))
            old_floors, new_floors = (
                _median(runs, name, share, in_floors=True) for runs in (before, after)
            )
            ratios = f"{_ratio(new, old)} | {_ratio(new_floors, old_floors)}"
            yield f"| {name} {share.removesuffix('_ms')} | {old:.3g} | {new:.3g} | {ratios} |"


def _median(runs: Sequence[Mapping[str, Any]], name: str, share: str, *, in_floors: bool) -> float:
    times = []
    for run in runs:
        floor: float = run["rows"].get(FLOOR, {"latency": {"p50_ms": 0.0}})["latency"]["p50_ms"]
        time: float = run["rows"][name]["latency"][share]
        times.append((time / floor if floor else 0.0) if in_floors else time)
    return median(times)


def _ratio(new: float, old: float) -> str:
    return f"{new / old:.2f}" if old else "-"
