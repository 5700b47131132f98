"""Two versions are held against each other by valid runs of one scenario."""

import json
from pathlib import Path

import pytest

from loadtests.compare import compare


def report(
    folder: Path, *, verify_ms: float, floor_ms: float = 2, code: int = 0, scenario: str = "mixed"
) -> None:
    folder.mkdir(parents=True)
    rows = {
        name: {"latency": dict.fromkeys(("p50_ms", "p95_ms", "p99_ms"), time_ms)}
        for name, time_ms in (("verify", verify_ms), ("floor", floor_ms))
    }
    verdict = {"scenario": scenario, "exit_code": code, "rows": rows}
    (folder / "verdict.json").write_text(json.dumps(verdict))


def test_medians_are_compared_and_what_is_not_valid_is_left_out(tmp_path: Path) -> None:
    """A machine that was twice as slow shows in the times and not in floors."""
    for number, time_ms in enumerate((4.0, 3.0, 5.0)):
        report(tmp_path / f"before/{number}", verify_ms=time_ms)
    report(tmp_path / "before/invalid", verify_ms=900, code=4)
    report(tmp_path / "after/1", verify_ms=8, floor_ms=4, code=1)
    lines = compare(tmp_path / "before", tmp_path / "after").splitlines()
    assert lines[0] == "mixed: medians of 3 and 1 runs"
    assert "| verify p95 | 4 | 8 | 2.00 | 1.00 |" in lines


@pytest.mark.parametrize("change", [{"code": 4}, {"scenario": "soak"}])
def test_what_cannot_be_compared_is_said(tmp_path: Path, change: dict[str, object]) -> None:
    """A folder without a valid run, and one with another scenario."""
    report(tmp_path / "before/1", verify_ms=4)
    report(tmp_path / "after/1", verify_ms=4, **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no valid run|different scenarios"):
        compare(tmp_path / "before", tmp_path / "after")
