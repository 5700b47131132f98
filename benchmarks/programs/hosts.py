"""HTTP servers of Python with an app in one worker, on the CPU that is measured.

Granian is set up as `edge serve` sets it up, where that can make a difference.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from benchmarks.programs.cpus import measured
from benchmarks.programs.program import (
    HOST,
    Running,
    free_port,
    is_answering,
    new_folder,
    running,
)

_GRANIAN: Final = (
    *("-m", "granian", "--workers", "1", "--loop", "uvloop", "--http", "1", "--no-ws"),
    *("--no-access-log", "--log-level", "warning", "--backpressure", "1024"),
)
_UVICORN: Final = (
    *("-m", "uvicorn", "--workers", "1", "--loop", "uvloop", "--http", "httptools", "--ws", "none"),
    *("--no-access-log", "--log-level", "warning", "--no-server-header"),
)


@contextmanager
def on_granian(
    app: str,
    *,
    interface: str = "asgi",
    probe: str = "/",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Serve `module:name` with Granian; `probe` is a path that it answers with 200."""
    options = [*_GRANIAN, "--interface", interface]
    with _served(options, app, probe, environment) as found:
        yield found


@contextmanager
def on_uvicorn(
    app: str, *, probe: str = "/", environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Serve `module:name` with uvicorn; `probe` is a path that it answers with 200."""
    with _served([*_UVICORN], app, probe, environment) as found:
        yield found


@contextmanager
def _served(
    options: list[str], app: str, probe: str, environment: Mapping[str, str] | None
) -> Iterator[Running]:
    port = free_port()
    command = [sys.executable, *options, "--host", HOST, "--port", str(port), app]
    with running(
        command,
        port,
        measured(),
        folder=new_folder(),
        environment=environment,
        is_up=is_answering(probe),
    ) as found:
        yield found
