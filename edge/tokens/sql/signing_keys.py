"""Signing keys in SQL."""

from typing import Any, Final

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge.stores.announcing import Announce, to_nobody
from edge.stores.sql import Database, database_now
from edge.stores.tables import revocations, signing_keys
from edge.tokens.key_schedule import KeyTimes
from edge.tokens.signing_key import SealedKey, StoredKey, StoredKeys

# Whoever adds a key looks first at those that are there; any number that nobody else locks.
_LOCK: Final = 0x6B65_7973  # "keys"
# How long the change list tells others to look: replicas that were away look by themselves.
_TOLD_FOR_MS: Final = 3_600_000


class SqlSigningKeys:
    """The `SigningKeyStore` port. `announce` is awaited after changes others must see soon."""

    def __init__(self, database: Database, *, announce: Announce = to_nobody) -> None:
        self._database = database
        self._announce = announce

    async def all(self) -> StoredKeys:
        async with self._database.reading() as connection:
            read_at_ms = await connection.scalar(select(database_now())) or 0
            rows = await connection.execute(
                select(signing_keys).order_by(signing_keys.c.activates_at_ms, signing_keys.c.kid)
            )
            return StoredKeys(tuple(map(_stored, rows)), read_at_ms)

    async def add_first(self, key: SealedKey) -> bool:
        async with self._database.writing_in_turn(_LOCK) as connection:
            if await connection.scalar(select(func.count()).select_from(signing_keys)):
                return False
            await _insert(connection, key, delay_ms=0)
            return True

    async def add(
        self,
        key: SealedKey,
        *,
        delay_ms: int,
        retirement_ms: int,
        unless_newer_than_ms: int | None = None,
    ) -> bool:
        async with self._database.writing_in_turn(_LOCK) as connection:
            if await connection.scalar(select(signing_keys).where(signing_keys.c.kid == key.kid)):
                return False
            if unless_newer_than_ms is not None:
                newest_ms = await connection.scalar(select(func.max(signing_keys.c.created_at_ms)))
                now_ms = await connection.scalar(select(database_now())) or 0
                if now_ms - (newest_ms or 0) < unless_newer_than_ms:
                    return False
            await connection.execute(
                update(signing_keys)
                .where(signing_keys.c.retires_at_ms.is_(None))
                .values(retires_at_ms=database_now() + delay_ms + retirement_ms)
            )
            await _insert(connection, key, delay_ms=delay_ms)
            await _tell(connection, key.kid)
        await self._announce()
        return True

    async def retire(self, kid: str) -> None:
        async with self._database.writing_in_turn(_LOCK) as connection:
            await connection.execute(
                update(signing_keys)
                .where(signing_keys.c.kid == kid)
                .values(retires_at_ms=database_now())
            )
            await _tell(connection, kid)
        await self._announce()

    async def replace(self, old: SealedKey, new: SealedKey) -> None:
        async with self._database.writing_in_turn(_LOCK) as connection:
            await connection.execute(
                update(signing_keys)
                .where(signing_keys.c.kid == old.kid, signing_keys.c.sealed_key == old.sealed_key)
                .values(sealed_key=new.sealed_key)
            )


async def _insert(connection: AsyncConnection, key: SealedKey, *, delay_ms: int) -> None:
    await connection.execute(
        insert(signing_keys).values(
            kid=key.kid,
            algorithm=key.algorithm,
            sealed_key=key.sealed_key,
            created_at_ms=database_now(),
            activates_at_ms=database_now() + delay_ms,
        )
    )


async def _tell(connection: AsyncConnection, kid: str) -> None:
    """Put the change where every replica looks (`RevocationReader`)."""
    await connection.execute(
        insert(revocations).values(
            kind="key",
            subject=kid,
            recorded_at_ms=database_now(),
            expires_at_ms=database_now() + _TOLD_FOR_MS,
        )
    )


def _stored(row: Row[Any]) -> StoredKey:
    return StoredKey(
        SealedKey(kid=row.kid, algorithm=row.algorithm, sealed_key=row.sealed_key),
        KeyTimes(
            kid=row.kid,
            created_at_ms=row.created_at_ms,
            activates_at_ms=row.activates_at_ms,
            retires_at_ms=row.retires_at_ms,
        ),
    )
