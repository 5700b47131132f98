"""The networks that accounts have logged in from, in SQL."""

from typing import Final
from uuid import UUID

from sqlalchemy import delete, exc, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from edge.stores.sql import Database, database_now
from edge.stores.tables import known_networks, users

KNOWN_FOR_MS: Final = 30 * 86_400_000


class SqlKnownNetworks:
    """The `KnownNetworks` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def knows(self, username_key: str, network: str) -> bool:
        statement = (
            select(known_networks.c.network)
            .join(users, users.c.id == known_networks.c.user_id)
            .where(
                users.c.username_key == username_key,
                known_networks.c.network == network,
                known_networks.c.logged_in_at_ms > database_now() - KNOWN_FOR_MS,
            )
        )
        async with self._database.reading() as connection:
            return await connection.scalar(statement) is not None

    async def remember(self, user_id: UUID, network: str) -> None:
        insert = sqlite.insert if self._database.dialect == "sqlite" else postgresql.insert
        statement = insert(known_networks).values(
            user_id=user_id, network=network, logged_in_at_ms=database_now()
        )
        statement = statement.on_conflict_do_update(
            index_elements=["user_id", "network"], set_={"logged_in_at_ms": database_now()}
        )
        try:
            async with self._database.writing() as connection:
                await connection.execute(statement)
        except exc.IntegrityError:  # the user was deleted meanwhile
            return


class ForgottenNetworks:
    """Purges networks that nobody has logged in from for as long as they are known."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def purge(self, most: int) -> int:
        identity = known_networks.c.user_id, known_networks.c.network
        chosen = (
            select(*identity)
            .where(known_networks.c.logged_in_at_ms < database_now() - KNOWN_FOR_MS)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        statement = delete(known_networks).where(tuple_(*identity).in_(chosen))
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount
