"""The change list of revocations in SQL."""

from typing import Any

from sqlalchemy import ColumnElement, Row, insert, select

from edge.stores.announcing import Announce, to_nobody
from edge.stores.sql import Database, database_now
from edge.stores.tables import revocations
from edge.tokens.revocations import Change, Changes, Kind

_READ = [column for column in revocations.c if column.name not in ("id", "recorded_at_ms")]


class SqlRevocationLog:
    """The `RevocationLog` port, and adding to it. `now` is its clock, in milliseconds.

    `announce` is awaited after each addition.
    """

    def __init__(
        self,
        database: Database,
        *,
        announce: Announce = to_nobody,
        now: ColumnElement[int] | None = None,
    ) -> None:
        self._database = database
        self._announce = announce
        self._now = database_now() if now is None else now

    async def since(self, recorded_at_ms: int | None) -> Changes:
        async with self._database.reading() as connection:
            read_at_ms = await connection.scalar(select(self._now)) or 0
            is_wanted = (
                revocations.c.expires_at_ms > read_at_ms
                if recorded_at_ms is None
                else revocations.c.recorded_at_ms >= recorded_at_ms
            )
            rows = await connection.execute(select(*_READ).where(is_wanted))
            return Changes(tuple(map(_change, rows)), read_at_ms)

    async def add(
        self,
        kind: Kind,
        subject: str,
        *,
        lifetime_s: int,
        issuer: str = "",
        epoch: int | None = None,
    ) -> None:
        """Add a row that matters for `lifetime_s`.

        Raises:
            UnavailableError: the store is away.
        """
        async with self._database.writing() as connection:
            await connection.execute(
                insert(revocations).values(
                    kind=kind,
                    issuer=issuer,
                    subject=subject,
                    epoch=epoch,
                    recorded_at_ms=self._now,
                    expires_at_ms=self._now + lifetime_s * 1000,
                )
            )
        await self._announce()


def _change(row: Row[Any]) -> Change:
    return Change(
        kind=row.kind,
        issuer=row.issuer,
        subject=row.subject,
        epoch=row.epoch,
        expires_at_ms=row.expires_at_ms,
    )
