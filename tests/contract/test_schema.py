"""The migrated schema is the declared one, and getting there is safe, on both databases."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, exc, insert, inspect, text

from edge.stores import schema
from edge.stores.sql import Database
from edge.stores.tables import metadata, signing_keys
from edge.tokens.key_schedule import KeyTimes
from edge.tokens.revocations import Change
from edge.tokens.signing_key import SealedKey
from edge.tokens.sql.revocations import SqlRevocationLog
from edge.tokens.sql.signing_keys import SqlSigningKeys
from tests.support.stores import open_database


async def test_the_migrations_lead_to_the_declared_tables(database: Database) -> None:
    """Alembic finds no difference between the migrated database and `tables.metadata`."""
    async with database.reading() as connection:
        assert await connection.run_sync(_differences) == []


async def test_the_migrations_make_the_declared_checks(database: Database) -> None:
    """Check constraints, which Alembic does not compare, are the declared ones by name."""
    declared = {
        table.name: {
            str(check.name) for check in table.constraints if isinstance(check, CheckConstraint)
        }
        for table in metadata.tables.values()
    }
    async with database.reading() as connection:
        assert await connection.run_sync(_check_names) == declared


def test_head_is_alembics_head() -> None:
    """The revision repeated in the code is the newest one in the folder."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


async def test_a_database_edge_never_saw_has_no_revision(empty_database_url: str) -> None:
    """An empty database is at no revision, and is not current."""
    database = _open(empty_database_url)
    try:
        assert await schema.current_revision(database) is None
        assert not await schema.is_current(database)
    finally:
        await database.close()


async def test_upgrading_an_empty_database_makes_it_current(empty_database_url: str) -> None:
    """An upgrade leads from nothing to the newest revision."""
    database = _open(empty_database_url)
    try:
        await schema.upgrade(database)
        assert await schema.current_revision(database) == schema.HEAD
        assert await schema.is_current(database)
    finally:
        await database.close()


async def test_a_long_upgrade_is_not_undone(empty_database_url: str) -> None:
    """What writes rows is bounded by the time-out as a whole; large tables take their time."""
    seconds = itertools.count(step=100)
    database = Database(
        empty_database_url, pool_size=1, timeout_s=10, clock=lambda: float(next(seconds))
    )
    try:
        await schema.upgrade(database)
        assert await schema.is_current(database)
    finally:
        await database.close()


async def test_upgrading_again_changes_nothing(database: Database) -> None:
    """An upgrade of a current database keeps its rows and its revision."""
    await _add_signing_key(database, "kept")
    await schema.upgrade(database)
    assert await schema.is_current(database)
    with pytest.raises(exc.IntegrityError):
        await _add_signing_key(database, "kept")


async def test_upgrades_at_once_do_no_harm(empty_database_url: str) -> None:
    """Processes that upgrade the same empty database at the same moment all succeed."""
    databases = [_open(empty_database_url) for _ in range(2)]
    try:
        await asyncio.gather(*map(schema.upgrade, databases))
        assert await schema.is_current(databases[0])
        async with databases[1].reading() as connection:
            assert await connection.run_sync(_differences) == []
    finally:
        for database in databases:
            await database.close()


async def test_what_was_there_before_revision_0002_lives_on(empty_database_url: str) -> None:
    """An upgrade keeps the signing key, active since it was made, and what was revoked."""
    database = _open(empty_database_url)
    try:
        async with database.writing() as connection:
            await connection.run_sync(_upgrade_to, "0001")
            await connection.execute(
                text(
                    "INSERT INTO signing_keys (kid, algorithm, sealed_key, state, created_at_ms)"
                    " VALUES ('k1', 'ES256', 'sealed', 'active', 1000)"
                )
            )
            await connection.execute(
                text(
                    "INSERT INTO revocations (kind, subject, epoch, recorded_at_ms, expires_at_ms)"
                    " VALUES ('user', 'u1', 2, 5, 9000000000000)"
                )
            )
        await schema.upgrade(database)
        [key] = (await SqlSigningKeys(database).all()).keys
        changes = await SqlRevocationLog(database).since(0)
    finally:
        await database.close()
    assert key.sealed == SealedKey(kid="k1", algorithm="ES256", sealed_key="sealed")
    assert key.times == KeyTimes(kid="k1", created_at_ms=1000, activates_at_ms=1000)
    assert changes.rows == (
        Change(kind="user", issuer="", subject="u1", epoch=2, expires_at_ms=9_000_000_000_000),
    )


def _upgrade_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _open(url: str) -> Database:
    return open_database(url, pool_size=2)


def _differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    differences: list[Any] = compare_metadata(context, metadata)
    return differences


def _check_names(connection: Connection) -> dict[str, set[str]]:
    inspector = inspect(connection)
    return {
        name: {str(check["name"]) for check in inspector.get_check_constraints(name)}
        for name in metadata.tables
    }


async def _add_signing_key(database: Database, kid: str) -> None:
    row = {
        "kid": kid,
        "algorithm": "ES256",
        "sealed_key": "",
        "created_at_ms": 0,
        "activates_at_ms": 0,
    }
    async with database.writing() as connection:
        await connection.execute(insert(signing_keys).values(row))
