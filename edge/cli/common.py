"""What the commands share: reading settings, opening Edge, failing in a way that can be mended."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn, TypeVar

import click
import msgspec

from edge.composition import Edge
from edge.faults import UnavailableError
from edge.settings import Finding, Settings, SettingsError, load
from edge.telemetry import logs

_Result = TypeVar("_Result")


def read_settings() -> Settings:
    """Give the settings of this process; errors end it, all of them listed."""
    try:
        return load(os.environ).or_raise()
    except SettingsError as error:
        fail_with(error.findings)


def build(settings: Settings) -> Edge:
    """Build Edge; errors in the settings end the process."""
    try:
        return Edge(settings)
    except SettingsError as error:
        fail_with(error.findings)


def with_stores(work: Callable[[Edge], Awaitable[_Result]]) -> _Result:
    """Run `work` with the stores open; what it cannot do without ends the process."""
    settings = read_settings()
    logs.configure(settings.log.level, as_json=settings.logs_as_json)
    edge = build(settings)

    async def run() -> _Result:
        async with edge.stores_open():
            return await work(edge)

    try:
        return asyncio.run(run())
    except SettingsError as error:
        fail_with(error.findings)
    except UnavailableError as error:
        fail(f"{error.reason}: {error.__cause__ or 'try again'}")


def fail_with(findings: Sequence[Finding]) -> NoReturn:
    for finding in findings:
        click.echo(str(finding), err=True)
    count = len(findings)
    fail(f"{count} {'problem' if count == 1 else 'problems'} to mend before Edge can run")


def fail(message: str) -> NoReturn:
    click.echo(f"edge: {message}", err=True)
    sys.exit(1)


def print_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
