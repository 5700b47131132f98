"""Is the schema current, and bringing it there with Alembic."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from edge.stores.sql import Database

# The newest revision in `migrations/versions`, repeated here because finding it out costs the
# import of Alembic at every start. A test holds the two together.
HEAD: Final = "0003"

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_UPGRADE_LOCK: Final = 0x6564_6765  # "edge"; any number no one else locks


async def current_revision(database: Database) -> str | None:
    """Give the revision the database is at, or None for a database Edge never saw.

    Raises:
        UnavailableError: the database is away.
    """
    async with database.reading() as connection:
        return await connection.run_sync(_read_revision)


async def is_current(database: Database) -> bool:
    return await current_revision(database) == HEAD


async def upgrade(database: Database) -> None:
    """Apply what is missing, in one transaction of any length; several processes may try at once.

    Raises:
        UnavailableError: the database is away.
    """
    import alembic.command  # noqa: PLC0415, F401  # takes time, and no transaction shall wait for it

    async with database.writing_in_turn(_UPGRADE_LOCK, is_bounded=False) as connection:
        await connection.run_sync(_upgrade)


def _read_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  # a third of the start-up time, seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
