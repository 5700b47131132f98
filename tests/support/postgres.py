"""A real PostgreSQL for the tests: started here, or named by `EDGE_TEST_POSTGRES_URL`."""

import asyncio
import os
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy.engine import make_url

from benchmarks.programs import postgres as started
from edge.stores import schema
from tests.support.ports import free_port
from tests.support.requirements import missing
from tests.support.stores import open_database

URL_VARIABLE: Final = "EDGE_TEST_POSTGRES_URL"
_GIVEN_URL: Final = os.environ.get(URL_VARIABLE)
_START_TIMEOUT_S: Final = 30

_Result = TypeVar("_Result")


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

    def terminate(self, url: str) -> None:
        """End every connection to this database, as when the server is restarted."""
        self.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"  # noqa: S608  # our own name
            f" WHERE datname = '{make_url(url).database}'"
        )

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
    binaries = started.find_binaries()
    if binaries is None:
        missing(started.NAME, f"{started.INSTALL}, or set {URL_VARIABLE}")
    with started.running_postgres(binaries, free_port) as url:
        yield from _closed_afterwards(Postgres(url))


async def migrate(url: str) -> None:
    """Bring the database to the newest schema."""
    database = open_database(url, timeout_s=_START_TIMEOUT_S)
    try:
        await schema.upgrade(database)
    finally:
        await database.close()


def _closed_afterwards(server: Postgres) -> Iterator[Postgres]:
    try:
        yield server
    finally:
        server.close()


def _unique_name() -> str:
    return f"edge_{uuid.uuid4().hex}"


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    # With a factory the runner leaves the current event loop, which is pytest's, alone.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)
