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

from deploy.load import INVALID, end
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


@pytest.mark.parametrize(
    ("at_ctrl_c", "code"), [("signal.SIG_IGN", INVALID), ("lambda *_: os._exit(3)", 3)]
)
def test_a_run_that_is_ended_judges_or_is_ended(at_ctrl_c: str, code: int) -> None:
    """Whoever does not hear of Ctrl-C is not waited for forever, and nothing is left running."""
    program = f"import os, signal; signal.signal(signal.SIGINT, {at_ctrl_c}); print(flush=True)"
    command = [sys.executable, "-c", f"{program}; [signal.pause() for _ in iter(int, 1)]"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert end(process, timeout_s=5 if code == 3 else 0.2) == code
        assert process.poll() is not None


def _is_of(process: psutil.Process, folder: Path) -> bool:
    """Whether a process was started there."""
    try:
        return str(folder) in " ".join(process.cmdline())
    except psutil.Error:
        return False
