"""Purging sessions, revocations and signing keys, on every database: no table grows for ever."""

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Table, insert
from uuid_utils.compat import uuid7

from edge.composition import Edge
from edge.faults import UnavailableError
from edge.stores.sql import Database
from edge.stores.tables import known_networks, revocations, sessions, signing_keys
from edge.tokens.housekeeping import Housekeeping
from edge.tokens.ports import NewSession
from edge.tokens.session import Origin, SessionLifetime
from edge.tokens.sql.purge import (
    RETIRED_KEYS_KEPT_MS,
    ended_sessions,
    expired_revocations,
    retired_keys,
)
from edge.tokens.sql.revocations import SqlRevocationLog
from edge.tokens.sql.sessions import SqlSessionStore
from tests.support.app import make_settings
from tests.support.stores import REVOCATION_LIFETIME_S, TravelClock, rows_of, stored_user

LIFETIME = SessionLifetime(idle_ms=1_000_000, absolute_ms=3_000_000, overlap_ms=0)


class House:
    """A session store whose clock can be turned, and the purge of what it leaves."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = TravelClock()
        now = self.clock.expression
        self.store = SqlSessionStore(database, revocation_lifetime_s=REVOCATION_LIFETIME_S, now=now)
        self.failures: list[UnavailableError] = []
        self.housekeeping = Housekeeping(
            ended_sessions(database, access_lifetime_s=REVOCATION_LIFETIME_S, now=now),
            expired_revocations(database, now=now),
            failed=self.failures.append,
        )

    async def start(self, user_id: UUID) -> UUID:
        session = NewSession(
            id=uuid7(), user_id=user_id, epoch=0, client_id="app", scopes=(), salt=b"s" * 16
        )
        assert await self.store.start(session, LIFETIME)
        return session.id

    async def rows(self) -> tuple[int, int]:
        return len(await rows_of(self.database, sessions)), len(
            await rows_of(self.database, revocations)
        )


@pytest.mark.no_cover  # does often what other tests do once
async def test_five_thousand_refreshes_leave_one_row(database: Database) -> None:
    """A session that is refreshed 5,000 times is one row, and purging leaves it alone."""
    house = House(database)
    user = await stored_user(database)
    session = await house.start(user.id)
    for generation in range(1, 5_001):
        assert await house.store.advance(
            session, generation=generation, lifetime=LIFETIME, origin=Origin()
        )
    assert await house.rows() == (1, 0)
    assert await house.housekeeping.purge() == 0
    assert await house.rows() == (1, 0)


async def test_rows_go_when_no_token_can_need_them(database: Database) -> None:
    """A session goes when its last access token is dead, a revocation when it expires."""
    house = House(database)
    user = await stored_user(database)
    ended, _ = await house.start(user.id), await house.start(user.id)
    assert await house.store.revoke(ended)
    house.clock.forward(REVOCATION_LIFETIME_S * 1000)
    assert await house.housekeeping.purge() == 0
    house.clock.forward(1)
    assert await house.housekeeping.purge() == 1
    assert await house.rows() == (2, 0)
    house.clock.forward(LIFETIME.idle_ms - 1)
    assert await house.housekeeping.purge() == 0
    house.clock.forward(1)
    assert await house.housekeeping.purge() == 2
    assert await house.rows() == (0, 0)


@pytest.mark.no_cover  # does often what other tests do once
async def test_a_round_deletes_in_batches_until_nothing_is_left(database: Database) -> None:
    """1,200 expired revocations go in one round, of which a batch is 500 at most."""
    house = House(database)
    log = SqlRevocationLog(database, now=house.clock.expression)
    for number in range(1_200):
        await log.add("token", f"token-{number}", lifetime_s=1)
    house.clock.forward(1_001)
    purge = expired_revocations(database, now=house.clock.expression)
    assert await purge.purge(500) == 500
    assert await house.housekeeping.purge() == 700
    assert await house.rows() == (0, 0)
    assert house.failures == []


async def test_signing_keys_go_long_after_they_retired(database: Database) -> None:
    """A key without an end, one that goes on and one that retired lately stay; in batches."""
    clock = TravelClock()
    kept_since_ms = clock.now_ms - RETIRED_KEYS_KEPT_MS
    ends = {"active": None, "retiring": clock.now_ms + 1, "retired": kept_since_ms}
    ends |= {f"old-{number}": kept_since_ms - 1 - number for number in range(3)}
    async with database.writing() as connection:
        times = {"created_at_ms": 1, "activates_at_ms": 1}
        row = {"algorithm": "ES256", "sealed_key": "sealed", **times}
        rows = [{"kid": kid, "retires_at_ms": end, **row} for kid, end in ends.items()]
        await connection.execute(insert(signing_keys), rows)
    purge = retired_keys(database, now=clock.expression)
    assert [await purge.purge(2) for _ in range(3)] == [2, 1, 0]
    left = {row["kid"] for row in await rows_of(database, signing_keys)}
    assert left == {"active", "retiring", "retired"}


async def test_a_running_edge_purges_every_table_that_grows(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """What its housekeeping throws away: of each table the row that is of no more use."""
    edge = Edge(make_settings(tmp_path, database_url))
    user = await stored_user(database)
    old = {"created_at_ms": 1, "rotated_at_ms": 1, "idle_expires_at_ms": 1}
    session = {"id": uuid7(), "user_id": user.id, "client_id": "app", "scopes": [], "salt": b"s"}
    rows: list[tuple[Table, dict[str, object]]] = [
        (sessions, {**session, **old, "absolute_expires_at_ms": 1, "generation": 1}),
        (revocations, {"kind": "token", "subject": "t", "recorded_at_ms": 1, "expires_at_ms": 1}),
        (
            signing_keys,
            {"kid": "k", "algorithm": "ES256", "sealed_key": "sealed"}
            | {"created_at_ms": 1, "activates_at_ms": 1, "retires_at_ms": 1},
        ),
        (known_networks, {"user_id": user.id, "network": "192.0.2.0/24", "logged_in_at_ms": 1}),
    ]
    async with database.writing() as connection:
        for table, row in rows:
            await connection.execute(insert(table).values(row))
    async with edge.stores_open():
        assert await edge.housekeeping.purge() == len(rows)
    for table in (sessions, revocations, known_networks):
        assert await rows_of(database, table) == []
    assert "k" not in {row["kid"] for row in await rows_of(database, signing_keys)}
