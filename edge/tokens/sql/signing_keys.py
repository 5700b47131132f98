"""Signing keys in SQL."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, insert, select

from edge.stores.sql import Database, database_now
from edge.stores.tables import signing_keys
from edge.tokens.signing_key import SealedKey

# Whoever adds a key looks first at those that are there; any number that nobody else locks.
_LOCK: Final = 0x6B65_7973  # "keys"


class SqlSigningKeys:
    """Where sealed signing keys are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_first(self, key: SealedKey) -> bool:
        """Store a key that is active at once; False where there is one already.

        Raises:
            UnavailableError: the store is away.
        """
        async with self._database.writing_in_turn(_LOCK) as connection:
            if await connection.scalar(select(func.count()).select_from(signing_keys)):
                return False
            await connection.execute(
                insert(signing_keys).values(
                    kid=key.kid,
                    algorithm=key.algorithm,
                    sealed_key=key.sealed_key,
                    created_at_ms=database_now(),
                    activates_at_ms=database_now(),
                )
            )
            return True

    async def all(self) -> Sequence[SealedKey]:
        """Give the keys that tokens may be signed with.

        Raises:
            UnavailableError: the store is away.
        """
        async with self._database.reading() as connection:
            return [
                SealedKey(kid=row.kid, algorithm=row.algorithm, sealed_key=row.sealed_key)
                for row in await connection.execute(select(signing_keys))
            ]
