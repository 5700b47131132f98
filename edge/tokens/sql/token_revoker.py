"""Revoking single access tokens in SQL."""

from sqlalchemy import insert

from edge.stores.announcing import Announce, to_nobody
from edge.stores.sql import Database, database_now
from edge.stores.tables import revocations


class SqlTokenRevoker:
    """The `TokenRevoker` port. `revocation_lifetime_s` is how long an access token can live on.

    `announce` is awaited after each revocation.
    """

    def __init__(
        self, database: Database, *, revocation_lifetime_s: int, announce: Announce = to_nobody
    ) -> None:
        self._database = database
        self._announce = announce
        self._revocation_lifetime_ms = revocation_lifetime_s * 1000

    async def revoke(self, token_id: str) -> None:
        statement = insert(revocations).values(
            kind="token",
            subject=token_id,
            recorded_at_ms=database_now(),
            expires_at_ms=database_now() + self._revocation_lifetime_ms,
        )
        async with self._database.writing() as connection:
            await connection.execute(statement)
        await self._announce()
