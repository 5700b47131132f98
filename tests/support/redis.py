"""A real Redis of the tests' own, on a free loopback port, with nothing kept on disk."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support import keeper
from tests.support.ports import free_port, is_listening
from tests.support.requirements import missing

_START_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.01


class Redis:
    """A server that can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            missing("redis", "apt-get install redis-server")
        folder = tempfile.mkdtemp(prefix="edge-redis-")
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", folder]
        account = [str(os.geteuid()), str(os.getegid())]
        self._process = subprocess.Popen(
            [sys.executable, keeper.__file__, *account, folder, program, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.perf_counter() + _START_TIMEOUT_S
        while not is_listening(self.port):
            if time.perf_counter() > deadline:
                self.stop()
                message = f"Redis did not start in {Path(folder)}"
                raise RuntimeError(message)
            time.sleep(_POLL_S)

    def stop(self) -> None:
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()  # the keeper stops the server then
        self._process.wait()
        self._process = None


@contextmanager
def running_redis() -> Iterator[Redis]:
    server = Redis()
    server.start()
    try:
        yield server
    finally:
        server.stop()
