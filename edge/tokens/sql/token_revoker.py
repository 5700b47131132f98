"""Revoking single access tokens in SQL."""

from typing import Final

from sqlalchemy import ColumnElement, insert

from edge.stores.announcing import Announce, to_nobody
from edge.stores.sql import Database, database_now
from edge.stores.tables import revocations


class SqlTokenRevoker:
    """The `TokenRevoker` port. `revocation_lifetime_s` is how long an access token can live on.

    `announce` is awaited after each revocation.
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

    async def revoke(self, token_id: str) -> None:
        statement = insert(revocations).values(
            kind="token",
            subject=token_id,
            recorded_at_ms=self._now,
            expires_at_ms=self._now + self._revocation_lifetime_ms,
        )
        async with self._database.writing() as connection:
            await connection.execute(statement)
        await self._announce()
