"""A real PostgreSQL for the tests: started here, or named by `EDGE_TEST_POSTGRES_URL`."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import asyncpg
from sqlalchemy.engine import make_url

from benchmarks.programs import keeper
from edge.stores import schema
from tests.support.memory import folder_in_memory
from tests.support.ports import free_port
from tests.support.requirements import missing
from tests.support.stores import open_database

URL_VARIABLE: Final = "EDGE_TEST_POSTGRES_URL"
_GIVEN_URL: Final = os.environ.get(URL_VARIABLE)
SUPERUSER: Final = "edge"
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

_Result = TypeVar("_Result")


class _Account(NamedTuple):
    """Who runs the server, by number."""

    user: int
    group: int


class Postgres:
    """A running server that hands out databases of its own to tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._template: str | None = None
        self._strategy = ""

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the URL of a fresh, migrated database, which is dropped afterwards."""
        if self._template is None:
            self._template = self._make_template()
        with self._created(f'TEMPLATE "{self._template}" {self._strategy}') as name:
            yield self._url_of(name)

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """Give the URL of a database without tables, which is dropped afterwards."""
        with self._created("TEMPLATE template0") as name:
            yield self._url_of(name)

    def execute(self, statement: str) -> None:
        """Run one statement as superuser, outside of any transaction."""
        _run(self._execute(statement))

    def close(self) -> None:
        """Drop the template; the server itself is its starter's business."""
        if self._template is not None:
            self._drop(self._template)

    @contextmanager
    def _created(self, options: str) -> Iterator[str]:
        name = _unique_name()
        self.execute(f'CREATE DATABASE "{name}" {options}')
        try:
            yield name
        finally:
            self._drop(name)

    def _drop(self, name: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _make_template(self) -> str:
        name = _unique_name()
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        _run(migrate(self._url_of(name)))
        if _run(self._major_version()) >= 15:
            self._strategy = "STRATEGY file_copy"  # several times faster for a database this small
        return name

    def _url_of(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    async def _major_version(self) -> int:
        connection = await asyncpg.connect(self.url, timeout=_START_TIMEOUT_S)
        try:
            return int(connection.get_server_version().major)
        finally:
            await connection.close()

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url, timeout=_START_TIMEOUT_S)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Give a server: the one the environment names, or one that runs until this is left."""
    if _GIVEN_URL:
        yield from _closed_afterwards(Postgres(_GIVEN_URL))
        return
    binaries = find_binaries()
    if binaries is None:
        missing("postgresql", f"apt-get install postgresql, or set {URL_VARIABLE}")
    with _started(binaries) as url:
        yield from _closed_afterwards(Postgres(url))


async def migrate(url: str) -> None:
    """Bring the database to the newest schema."""
    database = open_database(url, timeout_s=_START_TIMEOUT_S)
    try:
        await schema.upgrade(database)
    finally:
        await database.close()


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


def _closed_afterwards(server: Postgres) -> Iterator[Postgres]:
    try:
        yield server
    finally:
        server.close()


@contextmanager
def _started(binaries: Path) -> Iterator[str]:
    for attempt in range(1, _STARTS + 1):
        # Not a folder of pytest's: those let in nobody but the one who runs the tests.
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
        return subprocess.Popen(
            [*keep, program, "-D", data, "-p", str(port), *options],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the tests, which still need the server
        )


def _initialise(binaries: Path, folder: Path, account: _Account) -> None:
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), "--username", SUPERUSER]
    done = subprocess.run(
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


def _unique_name() -> str:
    return f"edge_{uuid.uuid4().hex}"


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    # With a factory the runner leaves the current event loop, which is pytest's, alone.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)
