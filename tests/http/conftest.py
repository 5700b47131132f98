"""The service on both databases, with one user for each role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from edge.settings import Settings
from tests.support.app import RunningApp, make_settings, running_service
from tests.support.databases import SqliteTemplate
from tests.support.musts import House


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return make_settings(tmp_path / "data", database_url)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[RunningApp]:
    async with _with_users(settings) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_app(
    shared_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningApp]:
    """The same for all tests of a file that change nothing in it; they run in the module's loop."""
    folder = tmp_path_factory.mktemp("shared")
    async with _with_users(make_settings(folder, shared_database_url)) as running:
        yield running


@asynccontextmanager
async def _with_users(settings: Settings) -> AsyncIterator[RunningApp]:
    async with running_service(settings) as running:
        for role in ("admin", "moderator", "user"):
            await running.add_user(role, [role])
        yield running


@pytest.fixture
def sqlite_settings(sqlite_template: SqliteTemplate, tmp_path: Path) -> Settings:
    """SQLite alone: what is said over HTTP does not depend on the database."""
    url = sqlite_template.copy_to(tmp_path / "edge.db")
    return make_settings(tmp_path / "data", url, CORS_ALLOW_ORIGINS="https://app.test")


@pytest.fixture
async def house(sqlite_settings: Settings) -> AsyncIterator[House]:
    """What the tables of MUSTs are checked in."""
    async with running_service(sqlite_settings) as app:
        house = House(app)
        await house.furnish()
        yield house
