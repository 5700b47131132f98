"""`make load`: one command from nothing to a verdict, and nothing left of it afterwards."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.support.ports import free_port
from tests.support.requirements import missing

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]


def test_a_load_test_of_the_stack_is_one_command(tmp_path: Path) -> None:
    """It starts the stack, says how it goes, judges, and leaves a folder with the report."""
    for program in ("haproxy", "redis-server"):
        if shutil.which(program) is None:
            missing(program, f"apt-get install {program}")
    for part in ("edge", "deploy", "loadtests"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    slo = tmp_path / "loadtests/slo.toml"
    slo.write_text(
        "[ci]\nusers = 4\nstart_lag_p99_ms = 5000\n[ci.rbac_mix.rbac]\nerror_ratio = 0\n"
    )
    command = [sys.executable, "-m", "deploy.load", "rbac_mix", "--port", str(free_port())]
    options = ["--balancer", "haproxy", "--", "-t", "6s", "--tokens", "400"]
    done = subprocess.run(
        [*command, *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "haproxy is up" in done.stdout
    assert re.search(r"5 s of 6: \d+ requests/s", done.stdout)
    assert "# passed: rbac_mix ci" in done.stdout
    [report] = (tmp_path / ".loadtest").glob("rbac_mix-*")
    assert {"verdict.md", "verdict.json", "locust.html", "locust_stats.csv", "locust.json"} <= {
        file.name for file in report.iterdir()
    }
    verdict = msgspec.json.decode((report / "verdict.json").read_bytes())
    assert verdict["rows"]["rbac"]["requests"] > 100
    assert not [one for one in psutil.process_iter() if _is_of(one, tmp_path)]


def _is_of(process: psutil.Process, folder: Path) -> bool:
    """Whether a process was started there."""
    try:
        return str(folder) in " ".join(process.cmdline())
    except psutil.Error:
        return False
