"""What every test may ask for: databases of both kinds; and the collecting of all logs."""

import os
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.programs.memory import folder_in_memory
from edge.stores.sql import Database
from tests.support import description, experiment, log_search, logs, workers
from tests.support.databases import KINDS, SqliteTemplate
from tests.support.postgres import Postgres, running_postgres
from tests.support.stores import open_database


def pytest_configure(config: pytest.Config) -> None:
    if memory := folder_in_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))
    if workers.is_controller(config):
        return
    # The settings of a test are its own, never the shell's. What the tests themselves are told by
    # EDGE_TEST_* was read when their modules were imported.
    for name in [name for name in os.environ if name.startswith("EDGE_")]:
        del os.environ[name]
    logs.start_collecting()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what takes its time to `make faults`."""
    if experiment.IS_THOROUGH:
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_sessionstart(session: pytest.Session) -> None:
    workers.end_as_after_ctrl_c(session)


def pytest_unconfigure(config: pytest.Config) -> None:
    logs.stop_collecting()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    logs.collect_report(report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    done = yield
    if nextitem is None:  # it was the last one of this process: all that it started has ended
        log_search.check_all(item)
        description.check_all()
    return done


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    with logs.logging_restored():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL server, started at the first use of it."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(params=KINDS)
def database_url(
    request: pytest.FixtureRequest, sqlite_template: SqliteTemplate, tmp_path: Path
) -> Iterator[str]:
    """The URL of a fresh, migrated database; the test runs once for each kind."""
    with _fresh_database(request, sqlite_template, tmp_path) as url:
        yield url


@pytest.fixture(scope="module", params=KINDS)
def shared_database_url(
    request: pytest.FixtureRequest,
    sqlite_template: SqliteTemplate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The same for all tests of a file that leave it as it is."""
    with _fresh_database(request, sqlite_template, tmp_path_factory.mktemp("shared")) as url:
        yield url


@contextmanager
def _fresh_database(
    request: pytest.FixtureRequest, template: SqliteTemplate, folder: Path
) -> Iterator[str]:
    if request.param == "sqlite":
        yield template.copy_to(folder / "edge.db")
        return
    with request.getfixturevalue("postgres").database() as url:
        yield url


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a fresh, migrated database, for laws about PostgreSQL only."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables; the test runs once for each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with request.getfixturevalue("postgres").empty_database() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh, migrated database, opened."""
    opened = open_database(database_url, pool_size=10)
    yield opened
    await opened.close()
