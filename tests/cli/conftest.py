"""The `edge` command, called in this process with an environment of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.cli import main
from tests.support.app import TEST_ENVIRONMENT
from tests.support.logs import logging_restored

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the command; keyword arguments are variables without their `EDGE_`."""
    for name in list(os.environ):
        if name.startswith("EDGE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str, stdin: str = "", **environ: str) -> Result:
        variables = {
            "EDGE_DATA_DIR": str(tmp_path / "data"),
            "EDGE_DATABASE_URL": database_url,
            **TEST_ENVIRONMENT,
            **{f"EDGE_{name}": value for name, value in environ.items()},
        }
        return CliRunner().invoke(main, arguments, input=stdin, env=variables)

    with logging_restored():
        yield run_command
