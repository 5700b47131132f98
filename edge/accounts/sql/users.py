"""Users in SQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, exc, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge.accounts.ports import UsernameTaken
from edge.accounts.user import NewUser, StoredCredentials, User, UserChanges, username_key
from edge.stores.announcing import Announce, to_nobody
from edge.stores.sql import Database, database_now, uuid_text
from edge.stores.tables import revocations, sessions, users

_SHOWN = [column for column in users.c if column.name not in ("username_key", "password_hash")]


class SqlUserStore:
    """The `UserStore` port. `revocation_lifetime_s` is how long an access token can live on.

    `announce` is awaited after each transaction that revoked something.
    """

    def __init__(
        self,
        database: Database,
        *,
        revocation_lifetime_s: int,
        announce: Announce = to_nobody,
    ) -> None:
        self._database = database
        self._announce = announce
        self._revocation_lifetime_ms = revocation_lifetime_s * 1000

    async def add(self, user: NewUser, password_hash: str) -> User | UsernameTaken:
        statement = (
            insert(users)
            .values(
                id=user.id,
                username=user.username,
                username_key=username_key(user.username),
                email=user.email,
                full_name=user.full_name,
                roles=list(user.roles),
                password_hash=password_hash,
                epoch=0,
                is_disabled=False,
                is_demo=user.is_demo,
                created_at_ms=database_now(),
                updated_at_ms=database_now(),
            )
            .returning(*_SHOWN)
        )
        try:
            async with self._database.writing() as connection:
                return _user((await connection.execute(statement)).one())
        except exc.IntegrityError:
            # The one constraint an insert with a fresh id can break is the name's.
            return UsernameTaken()

    async def find(self, user_id: UUID) -> User | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(*_SHOWN).where(users.c.id == user_id))).first()
        return _user(row) if row else None

    async def find_credentials(self, username_key: str) -> StoredCredentials | None:
        statement = select(*_SHOWN, users.c.password_hash).where(
            users.c.username_key == username_key
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).first()
        return StoredCredentials(_user(row), row.password_hash) if row else None

    async def page(self, *, after: str, limit: int) -> Sequence[User]:
        statement = (
            select(*_SHOWN)
            .where(users.c.username_key > after)
            .order_by(users.c.username_key)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [_user(row) for row in await connection.execute(statement)]

    async def count_demo(self) -> int:
        statement = select(func.count()).select_from(users).where(users.c.is_demo)
        async with self._database.reading() as connection:
            return await connection.scalar(statement) or 0

    async def change(self, user_id: UUID, changes: UserChanges) -> User | None:
        values = {
            name: list(value) if name == "roles" else value
            for name, value in msgspec.structs.asdict(changes).items()
            if value is not msgspec.UNSET
        }
        async with self._database.writing() as connection:
            before = await _lock(connection, user_id)
            if before is None:
                return None
            if "password_hash" in values or values.get("is_disabled"):
                await self._shut_out(connection, before)
            elif set(before.roles) - set(values.get("roles", before.roles)):
                await self._raise_epoch(connection, before)
            user = await _change(connection, user_id, **values)
        await self._announce()
        return user

    async def change_password(
        self, user_id: UUID, *, old_hash: str, new_hash: str, kept_session: UUID | None
    ) -> bool:
        others = [sessions.c.user_id == user_id, sessions.c.revoked_at_ms.is_(None)]
        if kept_session is not None:
            others.append(sessions.c.id != kept_session)
        async with self._database.writing() as connection:
            replaced = await connection.execute(
                update(users)
                .where(users.c.id == user_id, users.c.password_hash == old_hash)
                .values(password_hash=new_hash, updated_at_ms=database_now())
            )
            if replaced.rowcount != 1:
                return False
            # Not by the epoch, which would end the access tokens of the kept session too.
            ended = select(
                literal("session"),
                uuid_text(sessions.c.id),
                database_now(),
                database_now() + self._revocation_lifetime_ms,
            ).where(*others)
            columns = ["kind", "subject", "recorded_at_ms", "expires_at_ms"]
            await connection.execute(insert(revocations).from_select(columns, ended))
            await connection.execute(
                update(sessions).where(*others).values(revoked_at_ms=database_now())
            )
        await self._announce()
        return True

    async def end_sessions(self, user_id: UUID) -> bool:
        async with self._database.writing() as connection:
            before = await _lock(connection, user_id)
            if before is None:
                return False
            await self._shut_out(connection, before)
        await self._announce()
        return True

    async def replace_hash(self, user_id: UUID, *, old: str, new: str) -> bool:
        statement = (
            update(users)
            .where(users.c.id == user_id, users.c.password_hash == old)
            .values(password_hash=new)
        )
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def delete(self, user_id: UUID) -> bool:
        async with self._database.writing() as connection:
            before = await _lock(connection, user_id)
            if before is None:
                return False
            await self._shut_out(connection, before)
            await connection.execute(delete(users).where(users.c.id == user_id))
        await self._announce()
        return True

    async def _shut_out(self, connection: AsyncConnection, user: User) -> None:
        """End every session and access token of the user, whose row is locked."""
        await self._raise_epoch(connection, user)
        await connection.execute(
            update(sessions)
            .where(sessions.c.user_id == user.id, sessions.c.revoked_at_ms.is_(None))
            .values(revoked_at_ms=database_now())
        )

    async def _raise_epoch(self, connection: AsyncConnection, user: User) -> None:
        epoch = user.epoch + 1
        await connection.execute(update(users).where(users.c.id == user.id).values(epoch=epoch))
        await connection.execute(
            insert(revocations).values(
                kind="user",
                subject=str(user.id),
                epoch=epoch,
                recorded_at_ms=database_now(),
                expires_at_ms=database_now() + self._revocation_lifetime_ms,
            )
        )


async def _lock(connection: AsyncConnection, user_id: UUID) -> User | None:
    """Read the row so that nobody changes it before this transaction ends."""
    statement = select(*_SHOWN).where(users.c.id == user_id).with_for_update()
    row = (await connection.execute(statement)).first()
    return _user(row) if row else None


async def _change(connection: AsyncConnection, user_id: UUID, **values: object) -> User | None:
    statement = (
        update(users)
        .where(users.c.id == user_id)
        .values(updated_at_ms=database_now(), **values)
        .returning(*_SHOWN)
    )
    row = (await connection.execute(statement)).first()
    return _user(row) if row else None


def _user(row: Any) -> User:  # noqa: ANN401  # rows of several statements
    return User(
        id=row.id,
        username=row.username,
        email=row.email,
        full_name=row.full_name,
        roles=tuple(row.roles),
        epoch=row.epoch,
        is_disabled=row.is_disabled,
        is_demo=row.is_demo,
        created_at_ms=row.created_at_ms,
        updated_at_ms=row.updated_at_ms,
    )
