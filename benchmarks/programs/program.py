"""A program that runs for as long as a measurement needs it, in a folder of its own."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import msgspec
import psutil

from benchmarks.programs import keeper
from benchmarks.programs.cpus import started_on

HOST: Final = "127.0.0.1"
ROOT: Final = Path(__file__).parents[2]

_START_TIMEOUT_S: Final = 60
_POLL_S: Final = 0.01
# Debian keeps servers where PATH of an ordinary user does not look.
_SEARCH_PATH: Final = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


class MissingProgramError(Exception):
    """A program is not installed; says how to get it."""

    def __init__(self, name: str, install: str) -> None:
        super().__init__(f"needs {name}; to get it: {install}")
        self.name = name
        self.install = install


class Running(msgspec.Struct, frozen=True):
    """A program that was started; `pid` is its own, whose children are workers."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


def find(name: str, install: str) -> str:
    """Give where a program is.

    Raises:
        MissingProgramError: it is nowhere.
    """
    found = shutil.which(name, path=_SEARCH_PATH)
    if found is None:
        raise MissingProgramError(name, install)
    return found


def free_port() -> int:
    """Give a port that nobody listens on just now."""
    with socket.create_server((HOST, 0)) as found:
        port: int = found.getsockname()[1]
    return port


def new_folder() -> Path:
    """Make a folder that goes when the program that is run in it ends."""
    return Path(tempfile.mkdtemp(prefix="edge-bench-"))


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    cpus: set[int],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    is_up: Callable[[int], bool],
) -> Iterator[Running]:
    """Start a program on some CPUs, wait until it is up, and stop it on leaving.

    Raises:
        RuntimeError: it does not start; the message holds what it wrote.
    """
    account = [str(os.geteuid()), str(os.getegid())]
    with tempfile.TemporaryFile() as log:
        with started_on(cpus):
            process = subprocess.Popen(  # noqa: S603  # ours, or one that was found
                [sys.executable, keeper.__file__, *account, str(folder), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**plain_environment(), **(environment or {})},
                start_new_session=True,
            )
        try:
            _wait_until(lambda: is_up(port), process, log)
            yield Running(_child_of(process.pid), port)
        finally:
            process.communicate()  # its input is closed, so the keeper stops the program


def plain_environment() -> dict[str, str]:
    """Give this environment without settings of Edge, and with the code of this tree."""
    outer = {name: text for name, text in os.environ.items() if not name.startswith("EDGE_")}
    outer.pop("PYTHONDONTWRITEBYTECODE", None)  # every start would compile all libraries again
    path = os.pathsep.join(filter(None, [str(ROOT), outer.get("PYTHONPATH")]))
    return {**outer, "PYTHONPATH": path}


def is_listening(port: int) -> bool:
    """Say whether somebody accepts connections on a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def is_answering(path: str) -> Callable[[int], bool]:
    """Give a question that is true once a server answers this path with 200."""

    def ask(port: int) -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=1)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", path)
            with connection.getresponse() as answer:
                return answer.status == http.HTTPStatus.OK
        return False

    return ask


def _wait_until(
    is_true: Callable[[], bool], process: "subprocess.Popen[bytes]", log: IO[bytes]
) -> None:
    deadline = time.perf_counter() + _START_TIMEOUT_S
    while process.poll() is None and time.perf_counter() < deadline:
        if is_true():
            return
        time.sleep(_POLL_S)
    log.seek(0)
    message = f"it does not start; it wrote:\n{log.read().decode(errors='replace')}"
    raise RuntimeError(message)


def _child_of(pid: int) -> int:
    return int(psutil.Process(pid).children()[0].pid)
