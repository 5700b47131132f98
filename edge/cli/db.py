"""`edge db`: the schema of the database."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import click

from edge.cli.common import fail, read_settings
from edge.composition import database_of
from edge.faults import UnavailableError
from edge.stores import schema
from edge.stores.sql import Database


@click.group()
def db() -> None:
    """Look after the database schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema up to date; several at once do no harm."""
    _run(_upgrade)


@db.command()
def check() -> None:
    """Say whether the schema is current; exits with 1 where it is not."""
    _run(_check)


async def _upgrade(database: Database) -> None:
    before = await schema.current_revision(database)
    await schema.upgrade(database)
    if before == schema.HEAD:
        click.echo(f"The schema is current ({schema.HEAD}).")
    else:
        click.echo(f"The schema went from {before or 'nothing'} to {schema.HEAD}.")


async def _check(database: Database) -> None:
    revision = await schema.current_revision(database)
    if revision == schema.HEAD:
        click.echo(f"The schema is current ({schema.HEAD}).")
        return
    click.echo(f"The schema is at {revision or 'nothing'}, not {schema.HEAD}. Run: edge db upgrade")
    sys.exit(1)


def _run(work: Callable[[Database], Awaitable[None]]) -> None:
    settings = read_settings()
    database = database_of(settings, pool_size=1)

    async def run() -> None:
        try:
            await work(database)
        finally:
            await database.close()

    try:
        asyncio.run(run())
    except UnavailableError as error:
        fail(f"{error.reason}: {error.__cause__}")
