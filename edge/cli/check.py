"""`edge check` and `edge settings`: what would be run with, and what is wrong with it."""

import asyncio
import os
import sys
from urllib.parse import urlsplit

import click

from edge.accounts.sql.users import SqlUserStore
from edge.cli.common import print_json
from edge.composition import DEMO_ACCOUNTS, OLD_SCHEMA, database_of
from edge.faults import UnavailableError
from edge.settings import Finding, Secret, Settings, load
from edge.settings.sources import fields
from edge.stores import schema

_MASK = "********"
# What the reference says where the default depends on something.
_DEFAULTS_THAT_VARY = {
    "EDGE_PASSWORDS_HASH_CONCURRENCY": "one a core",
    "EDGE_ISSUER": "where it is served, such as `http://127.0.0.1:8000`",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def check(*, as_json: bool) -> None:
    """List everything wrong with the settings and the database, without starting.

    Exits with 1 when there is an error; warnings alone are fine.
    """
    loaded = load(os.environ)
    findings = [*loaded.findings]
    if loaded.settings.is_production and not loaded.errors:
        findings += asyncio.run(_check_database(loaded.settings))
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"errors: {errors}, warnings: {len(findings) - errors}")
    sys.exit(1 if errors else 0)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
@click.option("--reference", is_flag=True, help="Print what there is to set, as Markdown.")
def settings(*, as_json: bool, reference: bool) -> None:
    """Show the effective settings, secrets masked, and where each came from.

    Settings that cannot be used are shown with their defaults; `edge check` names them.
    """
    if reference:
        click.echo(_reference(), nl=False)
        return
    loaded = load(os.environ)
    rows = []
    for field in fields():
        section = getattr(loaded.settings, field.section) if field.section else loaded.settings
        value = getattr(section, field.name)
        if field.variable == "EDGE_ISSUER":
            value = loaded.settings.base_url
        rows.append((field.variable, _shown(value), loaded.origins[field.variable]))
    if as_json:
        print_json({name: {"value": value, "from": origin} for name, value, origin in rows})
        return
    width = max(len(name) for name, _, _ in rows)
    for name, value, origin in rows:
        click.echo(f"{name:{width}}  {value}  ({origin})")


def _reference() -> str:
    rows = ["| variable | in `edge.toml` | default | set it to |", "|---|---|---|---|"]
    for field in fields():
        default = _DEFAULTS_THAT_VARY.get(field.variable) or _code(_shown(field.default))
        names = f"`{field.variable}`" + (" (or `_FILE`)" if field.is_secret else "")
        rows.append(f"| {names} | `{field.toml_key}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


async def _check_database(settings: Settings) -> list[Finding]:
    database = database_of(settings, pool_size=1)
    try:
        if not await schema.is_current(database):
            return [OLD_SCHEMA]
        has_demo = await SqlUserStore(database, revocation_lifetime_s=0).count_demo() > 0
    except UnavailableError as error:
        problem = f"names a database that does not answer: {error.__cause__}"
        return [Finding("error", "EDGE_DATABASE_URL", problem, "start it, or mend the URL")]
    else:
        return [DEMO_ACCOUNTS] if has_demo else []
    finally:
        await database.close()


def _shown(value: object) -> str:
    if isinstance(value, Secret):
        return _masked(value.reveal())
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_shown(item)}" for key, item in value.items())
    if isinstance(value, bool):
        return str(value).lower()  # as the environment and TOML have it
    return "" if value is None else str(value)


def _masked(text: str) -> str:
    """Mask a secret; of a URL, only the password, for the rest says where it leads."""
    try:
        url = urlsplit(text)
        if not url.scheme or "://" not in text:
            return _MASK
        host = url.netloc.rpartition("@")[2]
        user = f"{url.username}:{_MASK}@" if url.password else ""
    except ValueError:
        return _MASK
    return url._replace(netloc=f"{user}{host}", query="").geturl()
