"""Edge as users run it: `python -m edge serve` in a process of its own."""

import atexit
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from tests.support.logs import server_log
from tests.support.ports import free_port

ROOT: Final = Path(__file__).parents[2]
_HOST: Final = "127.0.0.1"
_POLL_S: Final = 0.02
_KILL_TIMEOUT_S: Final = 5.0
_ORPHAN_TIMEOUT_S: Final = 1.0  # helpers of multiprocessing go when they notice that the server did

_running: Final[set["EdgeServer"]] = set()


class EdgeServer:
    """One server with its workers; `start()` and `stop()` it, or use it as a context manager.

    It may be started again after it ended: same port, same folder, same environment. `module` is
    what runs, with its own arguments: `edge`, or what runs Edge in its turn.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        *args: str,
        module: Sequence[str] = ("edge",),
        port: int | None = None,
        start_timeout_s: float = 30,
        stop_timeout_s: float = 30,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://{_HOST}:{self.port}"
        self._environment = environment
        self.folder = folder
        self._args = args
        self._module = module
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._outputs: list[Path] = []
        self._errors: list[Path] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            message = "the server was not started"
            raise RuntimeError(message)
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    def log_text(self) -> str:
        """Give all that the server has written: for each start its output, then its errors."""
        pairs = zip(self._outputs, self._errors, strict=True)
        return "".join(_read(path) for pair in pairs for path in pair)

    def error_text(self) -> str:
        """Give all that the server has written to standard error, where its log goes."""
        return "".join(map(_read, self._errors))

    def is_ready(self) -> bool:
        """Whether the server answers `/readyz` with 200 just now."""
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 10) -> None:
        """Wait for something to become true.

        Raises:
            AssertionError: it did not in time; the message holds the log.
        """
        deadline = time.perf_counter() + timeout_s
        while not condition():
            if time.perf_counter() > deadline:
                message = f"did not happen in {timeout_s} s; the log:\n{self.log_text()}"
                raise AssertionError(message)
            time.sleep(_POLL_S)

    def start(self) -> Self:
        """Start the server and wait until it is ready.

        Raises:
            RuntimeError: it ended, or was not ready in time; the message holds its log.
        """
        output_path, error_path = self._new_files()
        with output_path.open("wb") as output, error_path.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._module, "serve", *self._args],
                cwd=self.folder,
                env=self._whole_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,  # its workers can be told by it, orphans too
            )
        _running.add(self)
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def command(self, *arguments: str) -> str:
        """Run an `edge` command beside the server, as its operator would; gives what it prints."""
        return subprocess.run(
            [sys.executable, "-m", "edge", *arguments],
            cwd=self.folder,
            env=self._whole_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def stop(self) -> int:
        """Ask the server to end as a supervisor does; gives its exit code.

        Raises:
            AssertionError: it or one of its workers is still there after the deadline, or a worker
                outlived it. All of them are killed first.
        """
        if self.process.poll() is not None and not self.processes():
            return self._ended()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(self._stop_timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            message = f"SIGTERM did not end the server in {self._stop_timeout_s} s:\n"
            raise AssertionError(message + self.log_text()) from None
        _, orphans = psutil.wait_procs(self.processes(), timeout=_ORPHAN_TIMEOUT_S)
        if orphans:
            self.kill()
            message = f"the server ended and left {orphans} behind:\n{self.log_text()}"
            raise AssertionError(message)
        return self._ended()

    def kill(self) -> None:
        """End the server and all of its workers at once, as a power cut would."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()  # first, or it would start new workers
            self._process.wait()
        remaining = self.processes()
        for process in remaining:
            process.kill()
        _, alive = psutil.wait_procs(remaining, timeout=_KILL_TIMEOUT_S)
        if alive:
            message = f"SIGKILL did not end {alive}"
            raise RuntimeError(message)
        self._ended()

    def processes(self) -> list[psutil.Process]:
        """Give the server and its workers as far as they live."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def workers(self) -> set[int]:
        """Give the process ids of its workers."""
        return {worker.pid for worker in psutil.Process(self.pid).children()}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.stop()
        else:
            self.kill()  # whatever went wrong must not be hidden by what is wrong with stopping

    def _new_files(self) -> tuple[Path, Path]:
        name = f"{self.folder.name}-{self.port}-{len(self._errors) + 1}"
        self._errors.append(server_log(name))
        # The greeting of --demo shows passwords, by design: it is kept apart from the logs.
        is_apart = "--demo" in self._args
        output = self.folder / f"{name}.out" if is_apart else server_log(f"{name}-stdout")
        self._outputs.append(output)
        return output, self._errors[-1]

    def _ended(self) -> int:
        _running.discard(self)
        return self.process.wait()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return os.getsid(process.pid) == self.pid and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.Error):  # gone meanwhile, or somebody else's
            return False

    def _whole_environment(self) -> dict[str, str]:
        outer = {name: text for name, text in os.environ.items() if not name.startswith("EDGE_")}
        search_path = os.pathsep.join(filter(None, [str(ROOT), outer.get("PYTHONPATH")]))
        ours = {"PYTHONPATH": search_path, "EDGE_SERVER_PORT": str(self.port)}
        return {**outer, **ours, **self._environment}

    def _wait_until_ready(self) -> None:
        deadline = time.perf_counter() + self._start_timeout_s
        while time.perf_counter() < deadline:
            if self.process.poll() is not None:
                message = f"the server ended with {self.process.returncode}:\n{self.log_text()}"
                raise RuntimeError(message)
            if self.is_ready():
                return
            time.sleep(_POLL_S)
        message = f"the server was not ready in {self._start_timeout_s} s:\n{self.log_text()}"
        raise RuntimeError(message)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


@atexit.register
def _kill_all() -> None:
    for server in _running.copy():
        server.kill()
