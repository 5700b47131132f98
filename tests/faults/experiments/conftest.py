"""Two replicas of one worker behind HAProxy, with the load that every experiment has."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.app import bearer
from tests.support.databases import SqliteTemplate
from tests.support.fleet import Fleet, running_fleet
from tests.support.network import Network, running_network
from tests.support.outcomes import Ask
from tests.support.postgres import Postgres
from tests.support.redis import Redis, running_redis
from tests.support.rotation import Watched, running_haproxy
from tests.support.rounds import POLICIES

# The cheapest that production allows: most experiments are not about how long a hash takes.
CHEAP_HASHES = {
    "PASSWORDS_TIME_COST": "2",
    "PASSWORDS_MEMORY_KIB": "19456",
    "PASSWORDS_PARALLELISM": "1",
}
SETTINGS = {
    **CHEAP_HASHES,
    "SERVER_DRAIN_S": "3",  # HAProxy notices within 1.5 s
    "ACCESS_RULES": "[]",
    "RATELIMIT_POLICIES": json.dumps(POLICIES),
    "RATELIMIT_BUDGET_S": "0.5",  # of the real 50 ms, a busy machine takes some
}


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def fleet(
    redis: Redis, sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("experiments")
    url = sqlite_template.copy_to(folder / "edge.db")
    with running_fleet(url, folder, redis, **SETTINGS) as running:
        yield running


@pytest.fixture(scope="session")
def haproxy(fleet: Fleet) -> Iterator[Watched]:
    with running_haproxy(fleet.ports) as running:
        yield running


@pytest.fixture(scope="session")
def network_database_url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_behind_proxies(
    network_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    folder = tmp_path_factory.mktemp("network")
    settings = {**SETTINGS, "DATABASE_TIMEOUT_S": "1"}
    async with running_network(network_database_url, folder, settings) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def network(running_behind_proxies: Network) -> AsyncIterator[Network]:
    """The fleet whose stores are behind proxies, with everything well before and after."""
    network = running_behind_proxies
    await network.until_well()
    yield network
    await network.mend()
    await network.until_well()


@pytest.fixture
def port(fleet: Fleet, haproxy: Watched) -> int:
    """Where both replicas are asked, which are both there."""
    for replica in fleet.replicas:
        replica.wait_until(replica.is_ready)
    fleet.replicas[0].wait_until(haproxy.are_all_in)
    return haproxy.port


@pytest.fixture
def logins(fleet: Fleet) -> list[Ask]:
    """A good one and a bad one; no balancer may ask twice for what is no GET."""
    anna = {"username": "anna", "password": fleet.passwords["anna"]}
    wrong = {**anna, "password": "no password of anybody"}
    return [
        Ask("/login", 200, method="POST", body=anna),
        Ask("/login", 401, method="POST", body=wrong),
    ]


@pytest.fixture
def asks(fleet: Fleet) -> list[Ask]:
    """Half of them good; the others in all ways that have to be refused.

    Who asks who they are is charged for it, and must be told.
    """
    anna, root = (bearer(fleet.tokens[name]) for name in ("anna", "root"))
    forged = bearer(f"{fleet.tokens['root'][:-4]}AAAA")
    return [
        Ask("/users/me", 200, anna, holds='"anna"'),
        Ask("/admin-area", 403, anna),
        Ask("/admin-area", 200, root),
        Ask("/admin-area", 401, forged),
        Ask("/users/me", 200, root, holds='"root"'),
        Ask("/admin-area", 401),
    ]
