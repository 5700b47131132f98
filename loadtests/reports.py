"""The verdict, as files and on the terminal."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from loadtests.capacity import as_markdown as capacity_markdown
from loadtests.charts import capacity_svg
from loadtests.histogram import percentile
from loadtests.session import Session
from loadtests.verdict import Line, Measured, Run, Verdict

_SHARES: Final = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "p999_ms": 0.999}


def write(session: Session, run: Run, verdict: Verdict) -> None:
    """Print the verdict; write it too, where a folder was named."""
    files = {"verdict.md": as_markdown(run, verdict)}
    if run.capacity:
        files["capacity.md"] = capacity_markdown(run.capacity)
    print("", *files.values(), sep="\n")
    if session.options.report:
        files["verdict.json"] = json.dumps(as_json(run, verdict), indent=1)
        if run.capacity:
            files["capacity.svg"] = capacity_svg(run.capacity, run.scenario)
        folder = Path(session.options.report)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)


def as_json(run: Run, verdict: Verdict) -> dict[str, Any]:
    """Give all that the verdict was made of; histograms as percentiles."""
    return {
        "scenario": run.scenario,
        "profile": run.profile,
        "outcome": verdict.outcome.name.lower(),
        "exit_code": int(verdict.outcome),
        "seconds": round(run.elapsed_s, 1),
        "lines": [asdict(line) for line in verdict.lines],
        "rows": {name: _row(run, name) for name in _names(run)},
        "capacity": run.capacity.as_json() if run.capacity else None,
        "checks": {name: asdict(check) for name, check in sorted(run.ledger.checks.items())},
    }


def _names(run: Run) -> list[str]:
    """Give all names, also those that were due and never answered."""
    return sorted({*run.measured, *run.ledger.rows})


def _row(run: Run, name: str) -> dict[str, Any]:
    measured, row = run.measured.get(name, Measured(0, 0, {})), run.ledger.row(name)
    return {
        "requests": measured.requests,
        "failures": measured.failures,
        "arrivals": row.arrivals,
        "dropped": row.dropped,
        "latency": {key: percentile(measured.latency, share) for key, share in _SHARES.items()},
        "service": {key: percentile(row.service, share) for key, share in _SHARES.items()},
    }


def as_markdown(run: Run, verdict: Verdict) -> str:
    title = f"# {verdict.outcome.name.replace('_', ' ').lower()}: {run.scenario} {run.profile}"
    looked_at = [("", "what", "wanted", "found"), *map(_cells, verdict.lines)]
    names: list[tuple[str, ...]] = [
        ("name", "requests", "failures", "dropped", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms")
    ]
    for name in _names(run):
        row = _row(run, name)
        times = [f"{value:.3g}" for value in row["latency"].values()]
        counts = [str(row[key]) for key in ("requests", "failures", "dropped")]
        names.append((name, *counts, *times))
    return f"{title}\n\n{_table(looked_at)}\n\n{_table(names)}\n"


def _cells(line: Line) -> tuple[str, ...]:
    return ("ok" if line.holds else "**no**", f"{line.kind}: {line.what}", line.wanted, line.found)


def _table(rows: list[tuple[str, ...]]) -> str:
    rows = [tuple(cell.replace("|", "/") for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
