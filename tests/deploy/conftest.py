"""Two replicas of Edge and a service, for the load balancers that the tests put before them."""

import itertools
from collections.abc import Iterator

import pytest

from tests.support.balancers import KINDS, Kind
from tests.support.databases import SqliteTemplate
from tests.support.echo import Echo, echo
from tests.support.fleet import Fleet, running_fleet


@pytest.fixture(scope="session")
def fleet(
    sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with running_fleet(sqlite_template.copy_to(folder / "edge.db"), folder) as running:
        yield running


@pytest.fixture(scope="session")
def service() -> Iterator[Echo]:
    with echo() as running:
        yield running


@pytest.fixture(scope="session")
def _addresses() -> Iterator[str]:
    return (f"127.1.{number // 256}.{number % 256}" for number in itertools.count(1))


@pytest.fixture
def client(_addresses: Iterator[str]) -> str:
    """An address that nobody has asked from yet."""
    return next(_addresses)


@pytest.fixture(scope="module", params=list(KINDS.values()), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found
