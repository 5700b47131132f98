"""Sessions in SQL."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    Row,
    Uuid,
    false,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from edge.stores.announcing import Announce, to_nobody
from edge.stores.sql import Database, database_now
from edge.stores.tables import clients, revocations, sessions, users
from edge.tokens.ports import NewSession
from edge.tokens.session import Holder, LiveSession, Origin, Session, SessionLifetime


class SqlSessionStore:
    """The `SessionStore` port. `revocation_lifetime_s` is how long an access token can live on.

    `announce` is awaited after each transaction that revoked something.
    `now` is the clock of all times, in milliseconds: the database's, unless a test travels.
    """

    def __init__(
        self,
        database: Database,
        *,
        revocation_lifetime_s: int,
        announce: Announce = to_nobody,
        now: ColumnElement[int] | None = None,
    ) -> None:
        self._database = database
        self._announce = announce
        self._revocation_lifetime_ms = revocation_lifetime_s * 1000
        self._now: Final = database_now() if now is None else now

    async def start(self, session: NewSession, lifetime: SessionLifetime) -> bool:
        # The rows of user and client are locked and looked at again: a password that was changed,
        # or a client that was disabled, while credentials were being checked must not leave a
        # session behind. The built-in client has no row.
        is_client_disabled = (
            select(clients.c.is_disabled)
            .where(clients.c.id == session.client_id)
            .with_for_update(read=True)
            .scalar_subquery()
        )
        unchanged = (
            select(
                literal(session.id, Uuid),
                users.c.id,
                literal(session.client_id),
                literal(list(session.scopes), JSON),
                literal(1),
                literal(session.salt),
                self._now,
                self._now,
                self._now + min(lifetime.idle_ms, lifetime.absolute_ms),
                self._now + lifetime.absolute_ms,
                literal(session.origin.address),
                literal(session.origin.user_agent),
            )
            .where(
                users.c.id == session.user_id,
                users.c.epoch == session.epoch,
                users.c.is_disabled.is_(False),
                func.coalesce(is_client_disabled, false()).is_(False),
            )
            .with_for_update(read=True, of=users)
        )
        columns = [column for column in sessions.c if column.name != "revoked_at_ms"]
        statement = insert(sessions).from_select(columns, unchanged)
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def find(self, session_id: UUID) -> Session | None:
        async with self._database.reading() as connection:
            return await self._read(connection, session_id)

    async def advance(
        self, session_id: UUID, *, generation: int, lifetime: SessionLifetime, origin: Origin
    ) -> Session | None:
        idle_expiry = self._now + lifetime.idle_ms
        least = func.min if self._database.dialect == "sqlite" else func.least
        statement = (
            update(sessions)
            .where(
                sessions.c.id == session_id,
                sessions.c.generation == generation,
                sessions.c.revoked_at_ms.is_(None),
                sessions.c.idle_expires_at_ms > self._now,
                sessions.c.absolute_expires_at_ms > self._now,
            )
            .values(
                generation=generation + 1,
                address=origin.address,
                user_agent=origin.user_agent,
                rotated_at_ms=self._now,
                idle_expires_at_ms=least(idle_expiry, sessions.c.absolute_expires_at_ms),
            )
        )
        async with self._database.writing() as connection:
            if (await connection.execute(statement)).rowcount != 1:
                return None
            # In the same transaction: while this row is locked, nobody can end all sessions of
            # the user, so the epoch read here is one that such an end will still outdate.
            return await self._read(connection, session_id)

    async def of_user(self, user_id: UUID) -> Sequence[LiveSession]:
        statement = (
            select(sessions)
            .where(
                sessions.c.user_id == user_id,
                sessions.c.revoked_at_ms.is_(None),
                sessions.c.idle_expires_at_ms > self._now,
                sessions.c.absolute_expires_at_ms > self._now,
            )
            .order_by(sessions.c.rotated_at_ms.desc(), sessions.c.id.desc())
        )
        async with self._database.reading() as connection:
            return [_live_session(row) for row in await connection.execute(statement)]

    async def revoke(self, session_id: UUID, *, of: UUID | None = None) -> bool:
        statement = (
            update(sessions)
            .where(sessions.c.id == session_id, sessions.c.revoked_at_ms.is_(None))
            .values(revoked_at_ms=self._now)
        )
        if of is not None:
            statement = statement.where(sessions.c.user_id == of)
        async with self._database.writing() as connection:
            if (await connection.execute(statement)).rowcount != 1:
                return False
            await connection.execute(
                insert(revocations).values(
                    kind="session",
                    subject=str(session_id),
                    recorded_at_ms=self._now,
                    expires_at_ms=self._now + self._revocation_lifetime_ms,
                )
            )
        await self._announce()
        return True

    async def _read(self, connection: AsyncConnection, session_id: UUID) -> Session | None:
        statement = (
            select(
                sessions,
                users.c.username,
                users.c.roles,
                users.c.epoch,
                users.c.is_disabled,
                self._now.label("now_ms"),
            )
            .join(users, users.c.id == sessions.c.user_id)
            .where(sessions.c.id == session_id)
        )
        row = (await connection.execute(statement)).first()
        return _session(row) if row else None


def _live_session(row: Row[Any]) -> LiveSession:
    return LiveSession(
        id=row.id,
        client_id=row.client_id,
        created_at_ms=row.created_at_ms,
        used_at_ms=row.rotated_at_ms,
        origin=Origin(row.address, row.user_agent),
    )


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        holder=Holder(row.user_id, row.username, tuple(row.roles), row.epoch, row.is_disabled),
        client_id=row.client_id,
        scopes=tuple(row.scopes),
        generation=row.generation,
        salt=row.salt,
        rotated_at_ms=row.rotated_at_ms,
        idle_expires_at_ms=row.idle_expires_at_ms,
        absolute_expires_at_ms=row.absolute_expires_at_ms,
        revoked_at_ms=row.revoked_at_ms,
        now_ms=row.now_ms,
    )
