"""The change list in SQL, read into a snapshot, on every database."""

from pathlib import Path

import pytest
from sqlalchemy import insert
from uuid_utils.compat import uuid7

from edge.accounts.user import User, UserChanges
from edge.composition import Edge
from edge.stores.sql import Database, database_now
from edge.stores.tables import revocations
from edge.tokens.ports import NewSession
from edge.tokens.session import SessionLifetime
from edge.tokens.sql.revocations import SqlRevocationLog
from edge.tokens.sql.sessions import SqlSessionStore
from tests.support.app import make_settings
from tests.support.stores import (
    REVOCATION_LIFETIME_S,
    ReadAnew,
    record_token_revocation,
    stored_user,
    user_store,
    verified_token,
)


@pytest.fixture
def revoked(database: Database) -> ReadAnew:
    return ReadAnew(SqlRevocationLog(database))


async def ended_session(database: Database, user: User) -> NewSession:
    store = SqlSessionStore(database, revocation_lifetime_s=REVOCATION_LIFETIME_S)
    session = NewSession(
        id=uuid7(), user_id=user.id, epoch=user.epoch, client_id="app", scopes=(), salt=b"s" * 16
    )
    assert await store.start(session, SessionLifetime(60_000, 60_000, 0))
    assert await store.revoke(session.id)
    return session


async def test_an_empty_list_revokes_nothing(revoked: ReadAnew) -> None:
    """Where nothing was ever revoked every token lives."""
    assert not await revoked.is_revoked(verified_token(uuid7(), uuid7(), epoch=0))


async def test_tokens_of_an_ended_session_are_dead(revoked: ReadAnew, database: Database) -> None:
    """Ending a session kills its tokens, whatever their epoch, and no other session's."""
    user = await stored_user(database)
    session = await ended_session(database, user)
    assert await revoked.is_revoked(verified_token(user.id, session.id, epoch=0))
    assert await revoked.is_revoked(verified_token(user.id, session.id, epoch=9))
    assert not await revoked.is_revoked(verified_token(user.id, uuid7(), epoch=0))


async def test_tokens_below_the_users_epoch_are_dead(revoked: ReadAnew, database: Database) -> None:
    """A token lives with the epoch the user has now or a later one, and dies with any lower."""
    user = await stored_user(database)
    await user_store(database).change(user.id, UserChanges(password_hash="second"))
    await user_store(database).change(user.id, UserChanges(password_hash="third"))
    alive = [
        epoch
        for epoch in range(5)
        if not await revoked.is_revoked(verified_token(user.id, uuid7(), epoch=epoch))
    ]
    assert alive == [2, 3, 4]


async def test_tokens_of_a_deleted_user_are_dead(revoked: ReadAnew, database: Database) -> None:
    """The revocation outlives the account that it is about."""
    user = await stored_user(database)
    await user_store(database).delete(user.id)
    assert await revoked.is_revoked(verified_token(user.id, uuid7(), epoch=user.epoch))


async def test_other_users_keep_their_tokens(revoked: ReadAnew, database: Database) -> None:
    """What befalls one user leaves the tokens of another alone, at the same epoch."""
    user, other = await stored_user(database), await stored_user(database)
    await ended_session(database, user)
    await user_store(database).change(user.id, UserChanges(is_disabled=True))
    assert await revoked.is_revoked(verified_token(user.id, uuid7(), epoch=0))
    assert not await revoked.is_revoked(verified_token(other.id, uuid7(), epoch=0))


async def test_one_token_can_be_revoked(revoked: ReadAnew, database: Database) -> None:
    """Revoking a `jti` kills that token and not its neighbours in the same session."""
    user_id, session_id = uuid7(), uuid7()
    await record_token_revocation(database, "stolen")
    assert await revoked.is_revoked(verified_token(user_id, session_id, epoch=0, jti="stolen"))
    assert not await revoked.is_revoked(verified_token(user_id, session_id, epoch=0, jti="stolen2"))


async def test_kinds_of_revocation_do_not_mix(revoked: ReadAnew, database: Database) -> None:
    """The same text as a session, a user and a `jti` means three different things."""
    user = await stored_user(database)
    session = await ended_session(database, user)
    await record_token_revocation(database, str(user.id))
    bystander = uuid7()
    for claims in (
        verified_token(session.id, bystander, epoch=0),
        verified_token(bystander, bystander, epoch=0, jti=str(session.id)),
        verified_token(user.id, bystander, epoch=0),
        verified_token(bystander, user.id, epoch=0),
    ):
        assert not await revoked.is_revoked(claims)


@pytest.mark.parametrize("timeout_s", ["1", "60"])
async def test_a_row_that_is_committed_late_is_not_missed(
    postgres_url: str, tmp_path: Path, timeout_s: str
) -> None:
    """A row that got its time before a read, and whose COMMIT comes after it, is seen later."""
    edge = Edge(make_settings(tmp_path, postgres_url, DATABASE_TIMEOUT_S=timeout_s))
    token = verified_token(uuid7(), uuid7(), epoch=0, jti="stolen")
    # It took its time-out, and its COMMIT as long again on its way.
    age_ms = 2 * int(timeout_s) * 1000
    async with edge.stores_open():
        async with edge.database.writing() as connection:
            await connection.execute(
                insert(revocations).values(
                    kind="token",
                    subject="stolen",
                    recorded_at_ms=database_now() - age_ms,
                    expires_at_ms=database_now() + 600_000,
                )
            )
            await edge.revocations.read()
            assert not edge.revocations.is_revoked(token)
        await edge.revocations.read()
        assert edge.revocations.is_revoked(token)
