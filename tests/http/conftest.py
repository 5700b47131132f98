"""The service on both databases, with one user for each role."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.settings import Settings
from tests.support.app import RunningApp, make_settings, running_service


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return make_settings(tmp_path / "data", database_url)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[RunningApp]:
    async with running_service(settings) as running:
        for role in ("admin", "moderator", "user"):
            await running.add_user(role, [role])
        yield running
