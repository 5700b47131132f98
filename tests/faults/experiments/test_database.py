"""F20: PostgreSQL is restarted, hangs, and ends its connections."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.support.app import bearer, new_password
from tests.support.experiment import Experiment, experiment
from tests.support.fleet import Fleet
from tests.support.network import Network
from tests.support.outcomes import Ask, percentile
from tests.support.postgres import Postgres

pytestmark = [
    pytest.mark.server,
    pytest.mark.thorough,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]

OUTAGE_S = 3
TIMEOUT_S = 1  # of a statement, as in conftest.py
# What a request may take beyond a wait for a statement and one for a connection.
PATIENCE_S = 1.5
RECOVERY_S = 3.0
PASSWORD = new_password()

_NUMBERS = itertools.count(1)
Outage = Callable[[Network, Postgres], Awaitable[None]]


async def restart(network: Network, postgres: Postgres) -> None:
    network.to_database.cut()
    await asyncio.sleep(OUTAGE_S)
    await network.to_database.restore()


async def hang(network: Network, postgres: Postgres) -> None:
    network.to_database.silence()
    await asyncio.sleep(OUTAGE_S)
    await network.to_database.restore()


async def end_connections(network: Network, postgres: Postgres) -> None:
    for _ in range(OUTAGE_S):
        await asyncio.to_thread(postgres.terminate, network.database_url)
        await asyncio.sleep(1)


OUTAGES: dict[str, Outage] = {
    f"connections cut and refused for {OUTAGE_S} s": restart,
    f"no answers for {OUTAGE_S} s": hang,
    f"pg_terminate_backend of all, {OUTAGE_S} times": end_connections,
}


@pytest.fixture
def fleet(network: Network) -> Fleet:
    """The one behind proxies, for the usual requests too."""
    return network.fleet


@pytest.fixture
def asks(asks: list[Ask], logins: list[Ask]) -> list[Ask]:
    """The usual ones, and some logins."""
    return asks * 2 + logins


@pytest.mark.parametrize("what", OUTAGES)
async def test_f20_the_database_is_away(
    network: Network, postgres: Postgres, asks: list[Ask], what: str
) -> None:
    """What needs none is served, all else is told to wait, and no account is made by halves."""
    async with experiment(
        f"F20 PostgreSQL: {what}", network.haproxy.port, asks, sign=network.fleet.is_database_down
    ) as running:
        making = asyncio.create_task(make_accounts(running, network.fleet))
        await OUTAGES[what](network, postgres)
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)
        running.ended_at_s = running.now_s()
        await running.until(lambda: not network.fleet.is_database_down())
        await log_all_in(running, network.database_url)
    report = running.report
    report.assert_nothing_is_lost()
    assert not [one for one in report.delayed if one.ask.path == "/admin-area"]
    assert report.recovered_s < RECOVERY_S + PATIENCE_S, report.line()
    assert percentile(report.delayed, 1) < 2 * TIMEOUT_S + PATIENCE_S, report.line()


async def make_accounts(running: Experiment, fleet: Fleet) -> None:
    """Make one after the other, until stopped."""
    root = bearer(fleet.tokens["root"])
    for number in _NUMBERS:
        body = {"username": f"new-{number}", "password": PASSWORD, "roles": ["user"]}
        await running.ask(Ask("/admin/users", 201, root, method="POST", body=body))


async def log_all_in(running: Experiment, database_url: str) -> None:
    """Log in whoever has an account: those who were told so, and those whose answer was lost."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT username FROM users WHERE username LIKE 'new-%'")
    finally:
        await connection.close()
    told = [one for one in running.outcomes if one.status == 201]
    assert len(rows) >= len(told)
    for row in rows:
        body = {"username": row["username"], "password": PASSWORD}
        await running.ask(Ask("/login", 200, method="POST", body=body))
