"""Test runs within a test: what happens at the end of one."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.server import ROOT


def run_tests(text: str, folder: Path, *, workers: int) -> "subprocess.CompletedProcess[str]":
    """Run this file of tests, with the project's `conftest` and so many workers."""
    (folder / "test_within.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]")
    plugins = ["-p", "xdist", "-p", "tests.conftest", "-n", str(workers)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-c", "pytest.ini", "test_within.py"],
        cwd=folder,
        env={
            **{name: text for name, text in os.environ.items() if "PYTEST" not in name},
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),  # what is kept for somebody to read is kept there
        },
        capture_output=True,
        text=True,
        check=False,
    )
