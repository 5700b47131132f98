"""Load tests as users start them: locust in a process of its own, which leaves a verdict."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from loadtests.issuer import make_issuer
from loadtests.trust import edge_settings

ROOT: Final = Path(__file__).parents[2]
_TIMEOUT_S: Final = 60.0
# Machines that run tests are busy; what is tested is not how fast they are.
PATIENT: Final = "[ci]\nstart_lag_p99_ms = 5000\ngenerator_cpu = 2\n"


class LoadRun(msgspec.Struct, frozen=True):
    """One that has ended; `verdict` is the content of `verdict.json`."""

    code: int
    output: str
    verdict: Mapping[str, Any]
    folder: Path

    def line(self, what: str) -> Mapping[str, Any]:
        """Give the one line of the verdict that is about something."""
        [found] = [line for line in self.verdict["lines"] if what in line["what"]]
        return dict(found)

    def broken(self) -> list[str]:
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

    def run(
        self, scenario: str, url: str, *options: str, environ: Mapping[str, str] | None = None
    ) -> LoadRun:
        """Run a scenario to its end."""
        report = self._report()
        with self.started(scenario, url, report, *options, environ=environ) as process:
            output, _ = process.communicate(timeout=_TIMEOUT_S)
        verdict = report / "verdict.json"
        content = msgspec.json.decode(verdict.read_bytes()) if verdict.exists() else {}
        return LoadRun(process.returncode, output, content, report)

    @contextmanager
    def started(
        self,
        scenario: str,
        url: str,
        report: Path,
        *options: str,
        environ: Mapping[str, str] | None = None,
    ) -> Iterator["subprocess.Popen[str]"]:
        """Start a scenario, and end it and its workers where that was not waited for."""
        file = scenario if scenario.endswith(".py") else f"loadtests/scenarios/{scenario}.py"
        command = [sys.executable, "-m", "locust", "-f", file, "--host", url, "--profile", "ci"]
        told = ["--slo", str(self.slo), "--report", str(report), "--tokens", "200"]
        process = subprocess.Popen(
            [*command, *told, *_headless(options), *options],
            cwd=ROOT,
            env={**_outer(), "LOADTEST_ISSUER_KEY": str(self.key), **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()

    def _report(self) -> Path:
        return self.folder / f"report-{next(self._numbers)}"


def _headless(options: Sequence[str]) -> list[str]:
    return [] if "--web-port" in options else ["--headless", "--only-summary"]


def _outer() -> dict[str, str]:
    """Give this environment without what others told load tests of their own."""
    others = ("LOADTEST_", "LOCUST_", "EDGE_")
    return {name: text for name, text in os.environ.items() if not name.startswith(others)}
