"""Deleting sessions, revocations and signing keys that are of no more use."""

from typing import Any, Final

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.sql.elements import ColumnElement as Condition

from edge.stores.sql import Database, database_now
from edge.stores.tables import revocations, sessions, signing_keys

# A token lives for a day at most, and so does the JWK Set in a cache (`edge.settings.model`). Keys
# are kept longer for whoever asks what was in use lately.
RETIRED_KEYS_KEPT_MS: Final = 90 * 86_400_000


class SqlPurge:
    """Purges one table by its `identity`: the rows for which `is_useless` holds."""

    def __init__(self, database: Database, identity: Any, is_useless: Condition[bool]) -> None:  # noqa: ANN401  # a column
        self._database = database
        self._identity = identity
        self._is_useless = is_useless

    async def purge(self, most: int) -> int:
        # Rows that another replica is deleting just now are left to it.
        chosen = select(self._identity).where(self._is_useless).limit(most)
        chosen = chosen.with_for_update(skip_locked=True)
        statement = delete(self._identity.table).where(self._identity.in_(chosen))
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount


def ended_sessions(
    database: Database, *, access_lifetime_s: int, now: ColumnElement[int] | None = None
) -> SqlPurge:
    """Purge sessions that ended so long ago that no access token of theirs lives."""
    now = database_now() if now is None else now
    is_useless = sessions.c.idle_expires_at_ms < now - access_lifetime_s * 1000
    return SqlPurge(database, sessions.c.id, is_useless)


def expired_revocations(database: Database, *, now: ColumnElement[int] | None = None) -> SqlPurge:
    """Purge rows of the change list that can speak of no living token."""
    now = database_now() if now is None else now
    return SqlPurge(database, revocations.c.id, revocations.c.expires_at_ms < now)


def retired_keys(database: Database, *, now: ColumnElement[int] | None = None) -> SqlPurge:
    """Purge signing keys that retired long ago."""
    now = database_now() if now is None else now
    is_useless = signing_keys.c.retires_at_ms < now - RETIRED_KEYS_KEPT_MS
    return SqlPurge(database, signing_keys.c.kid, is_useless)
