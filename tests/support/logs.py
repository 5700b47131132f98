"""All that is logged by the tests of one process, kept in one folder.

Three sources: a handler of the product's own log set-up, what pytest captured from each test, and
the files that servers write to. `log_search` looks through all of it.
"""

import logging
import logging.config
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import structlog

from edge.telemetry import logs as product_logs

# The tests' own clients, whose debug lines show what they send.
_CLIENTS: Final = ("httpx", "httpcore", "requests_oauthlib", "urllib3", "oauthlib", "authlib")


class _Collection:
    """The folder of this run and the handler that writes into it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="edge-test-logs-"))
        self.is_kept = False
        self.captured = self.folder / "captured.log"
        self.handler = logging.FileHandler(self.folder / "in-process.log", encoding="utf-8")


_collection: _Collection | None = None


class _AlsoCollecting(logging.config.DictConfigurator):
    """Whoever configures logging, the product too, gets the collecting handler beside his own."""

    def configure(self) -> None:
        super().configure()
        logging.getLogger().addHandler(_current().handler)


def start_collecting() -> None:
    """Set logging up as the product does, at its most talkative, into the folder only."""
    global _collection  # noqa: PLW0603  # one folder for each run
    _collection = _Collection()
    logging.config.dictConfigClass = _AlsoCollecting
    product_logs.configure("debug", as_json=True)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if handler is not _collection.handler:
            _collection.handler.setFormatter(handler.formatter)
            root.removeHandler(handler)
    for client in _CLIENTS:
        logging.getLogger(client).setLevel(logging.WARNING)


def stop_collecting() -> None:
    """End the run; the folder stays only where `keep_folder` was asked for it."""
    global _collection  # noqa: PLW0603
    if _collection is None:
        return
    logging.config.dictConfigClass = logging.config.DictConfigurator
    logging.getLogger().removeHandler(_collection.handler)
    _collection.handler.close()
    if not _collection.is_kept:
        shutil.rmtree(_collection.folder, ignore_errors=True)
    _collection = None


@contextmanager
def logging_restored() -> Iterator[None]:
    """Undo what happens to the set-up of logging meanwhile: handlers, level and structlog."""
    root = logging.getLogger()
    handlers, level, configuration = root.handlers[:], root.level, structlog.get_config()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**configuration)


def collect_report(report: pytest.TestReport) -> None:
    """Keep what pytest captured of this phase of a test."""
    if _collection is None:  # its worker has kept it
        return
    # The sections of the phases before are repeated in each report.
    sections = [text for title, text in report.sections if title.endswith(f" {report.when}")]
    collect(report.nodeid, report.when, sections)


def collect(nodeid: str, when: str, sections: Sequence[str]) -> None:
    """Keep what was captured from this phase of a test."""
    if sections:
        test = nodeid.partition("[")[0]  # the parameters may well be passwords
        with _current().captured.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write("\n".join([f"==== {test} ({when})", *sections, ""]))


def server_log(name: str) -> Path:
    """Give the file that the server of this name is to write to; it may exist already."""
    return _current().folder / f"server-{name}.log"


def collected() -> list[Path]:
    """Give every file of this run that holds log output."""
    current = _current()
    current.handler.flush()
    return sorted(path for path in current.folder.rglob("*") if path.is_file())


def keep_folder() -> Path:
    """Let the folder outlive the run, for somebody to read; gives it."""
    _current().is_kept = True
    return _current().folder


def _current() -> _Collection:
    if _collection is None:
        message = "logs are collected only between the start and the end of a test run"
        raise RuntimeError(message)
    return _collection
