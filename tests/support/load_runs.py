"""Load tests as users start them: locust in a process of its own, which leaves a verdict."""

import copy
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from loadtests.issuer import make_issuer
from loadtests.trust import edge_settings

ROOT: Final = Path(__file__).parents[2]
_TIMEOUT_S: Final = 60.0
# Machines that run tests are busy; what is tested is not how fast they are.
PATIENT: Final = "[ci]\nstart_lag_p99_ms = 5000\ngenerator_cpu = 2\nmax_drift = 100\n"


class LoadRun(msgspec.Struct, frozen=True):
    """One that has ended; `verdict` is the content of `verdict.json`."""

    code: int
    output: str
    verdict: Mapping[str, Any]
    folder: Path

    def broken(self) -> list[str]:
        """Give what did not hold."""
        return [line["what"] for line in self.verdict["lines"] if not line["holds"]]


class Generator:
    """What starts load tests of one Edge: its key, its terms, and the folder of its reports."""

    def __init__(self, folder: Path, slo: str = PATIENT) -> None:
        self.folder = folder
        self.key = make_issuer(folder)
        self.edge = edge_settings(folder / "jwks.json")
        self.slo = folder / "slo.toml"
        self.slo.write_text(slo)
        self._numbers = itertools.count(1)

    def judging_by(self, slo: str) -> Self:
        """Give one with the same key, and other terms."""
        other = copy.copy(self)
        other.slo = self.folder / f"slo-{next(self._numbers)}.toml"
        other.slo.write_text(slo)
        return other

    def run(
        self, scenario: str, url: str, *options: str, environ: Mapping[str, str] | None = None
    ) -> LoadRun:
        """Run a scenario without the web page, to its end."""
        headless = ("--headless", "--only-summary")
        with self.started(scenario, url, *headless, *options, environ=environ) as started:
            return started.ended()

    @contextmanager
    def started(
        self, scenario: str, url: str, *options: str, environ: Mapping[str, str] | None = None
    ) -> Iterator["StartedRun"]:
        """Start a scenario; what of it was not waited for is killed on leaving."""
        report = self.folder / f"report-{next(self._numbers)}"
        file = scenario if scenario.endswith(".py") else f"loadtests/scenarios/{scenario}.py"
        command = [sys.executable, "-m", "locust", "-f", file, "--host", url, "--profile", "ci"]
        told = ["--slo", str(self.slo), "--report", str(report), "--tokens", "200"]
        process = subprocess.Popen(
            [*command, *told, *options],
            cwd=ROOT,
            env={**_outer(), "LOADTEST_ISSUER_KEY": str(self.key), **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # its workers end with it
        )
        try:
            yield StartedRun(process, report)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            if process.stdout and not process.stdout.closed:
                process.communicate()


class StartedRun:
    """One that goes on by itself."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self.process = process
        self._folder = folder
        self._heard = ""

    def wait_for(self, text: str) -> None:
        """Wait until it has said something."""
        assert self.process.stdout is not None
        while text not in self._heard:
            line = self.process.stdout.readline()
            assert line, self._heard
            self._heard += line

    def ended(self) -> LoadRun:
        output, _ = self.process.communicate(timeout=_TIMEOUT_S)
        verdict = self._folder / "verdict.json"
        content = msgspec.json.decode(verdict.read_bytes()) if verdict.exists() else {}
        return LoadRun(self.process.returncode, self._heard + output, content, self._folder)


def _outer() -> dict[str, str]:
    """Give this environment without what others told load tests of their own."""
    others = ("LOADTEST_", "LOCUST_", "EDGE_")
    return {name: text for name, text in os.environ.items() if not name.startswith(others)}
