"""A PostgreSQL of its own, in memory where there is enough of it."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.programs import keeper
from benchmarks.programs.memory import folder_in_memory

SUPERUSER: Final = "edge"
NAME: Final = "postgresql"
INSTALL: Final = "apt-get install postgresql"
_START_TIMEOUT_S: Final = 30
_STARTS: Final = 3  # somebody else may take a free port before the server does

_OPTIONS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "16MB",
    # Nothing here outlives the run, so nothing has to survive a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class _Account(NamedTuple):
    """Who runs the server, by number."""

    user: int
    group: int


def find_binaries() -> Path | None:
    """Give the folder of `initdb` and `postgres`: from PATH, Debian's folders, or a wheel."""
    candidates = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(debian, key=lambda folder: _version(folder.parent.name), reverse=True)
    wheel = importlib.util.find_spec("pgserver")
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((folder for folder in candidates if _is_complete(folder)), None)


def _version(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return 0


def _is_complete(folder: Path) -> bool:
    return all((folder / program).exists() for program in ("initdb", "postgres"))


@contextmanager
def running_postgres(binaries: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """Give the URL of its superuser."""
    for attempt in range(1, _STARTS + 1):
        # One that lets in the account which runs it.
        folder = Path(tempfile.mkdtemp(prefix="edge-postgres-", dir=folder_in_memory()))
        port = free_port()
        process = _start(binaries, folder, port)
        try:
            if _becomes_ready(process, folder, is_last=attempt == _STARTS):
                yield f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres"
                return
        finally:
            _stop(process, folder)
    message = "unreachable: the last attempt is ready or raises"
    raise AssertionError(message)


def _start(binaries: Path, folder: Path, port: int) -> "subprocess.Popen[bytes]":
    account = _account()
    os.chown(folder, *account)
    try:
        _initialise(binaries, folder, account)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    options = [f"--{name.replace('_', '-')}={value}" for name, value in _OPTIONS.items()]
    program, data = str(binaries / "postgres"), str(folder / "data")
    keep = [sys.executable, keeper.__file__, *map(str, account), str(folder)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603  # the same
            [*keep, program, "-D", data, "-p", str(port), *options],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the tests, which still need the server
        )


def _initialise(binaries: Path, folder: Path, account: _Account) -> None:
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), "--username", SUPERUSER]
    done = subprocess.run(  # noqa: S603  # that of the folder that was found
        [*command, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        **keeper.as_account(*account),
    )
    if done.returncode:
        message = f"initdb failed:\n{done.stdout}{done.stderr}"
        raise RuntimeError(message)


def _account() -> _Account:
    """Choose who runs the server, which refuses to be run by root."""
    if os.geteuid() != 0:
        return _Account(os.geteuid(), os.getegid())
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return _Account(entry.pw_uid, entry.pw_gid)


def _environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("PG")}


def _becomes_ready(process: "subprocess.Popen[bytes]", folder: Path, *, is_last: bool) -> bool:
    deadline = time.perf_counter() + _START_TIMEOUT_S
    while process.poll() is None and time.perf_counter() < deadline:
        if _is_ready(folder / "data" / "postmaster.pid"):
            return True
        time.sleep(0.01)
    if is_last:
        log = (folder / "log").read_text(encoding="utf-8", errors="replace")
        message = f"PostgreSQL did not start:\n{log}"
        raise RuntimeError(message)
    return False


def _is_ready(pid_file: Path) -> bool:
    """Whether the server wrote that it is ready, where `pg_ctl` reads it too."""
    try:
        return pid_file.read_text(encoding="ascii").splitlines()[7].strip() == "ready"
    except (OSError, IndexError):
        return False


def _stop(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(2 * keeper.STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
