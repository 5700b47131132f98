"""Repositories with a product and benchmarks whose times are no times: what is found is exact."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_IDENTITY = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")


class Project:
    """A git repository with one commit on main."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write(".gitignore", "__pycache__/\nignored\n")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *_IDENTITY, *arguments],  # noqa: S607
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, message: str = "more") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def copy_benchmarks(self) -> None:
        """Have the engine of this project, without its cases."""
        skipped = shutil.ignore_patterns("__pycache__", "cases", "peers", "floors", "programs")
        shutil.copytree(ROOT / "benchmarks", self.folder / "benchmarks", ignore=skipped)

    def bench(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run edge-bench in it."""
        return subprocess.run(
            [sys.executable, "-m", "benchmarks", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project")
    made.write("file", "one")
    made.commit()
    return made
