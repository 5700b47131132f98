"""Purging sessions and revocations, on every database: no table grows for ever."""

from uuid import UUID

from uuid_utils.compat import uuid7

from edge.faults import UnavailableError
from edge.stores.sql import Database
from edge.stores.tables import revocations, sessions
from edge.tokens.housekeeping import Housekeeping
from edge.tokens.ports import NewSession
from edge.tokens.session import Origin, SessionLifetime
from edge.tokens.sql.purge import ended_sessions, expired_revocations
from edge.tokens.sql.revocations import SqlRevocationLog
from edge.tokens.sql.sessions import SqlSessionStore
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
