"""`edge clients`: making and changing OAuth clients from the command line.

Secrets are made here, never chosen, and printed once.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import click
import msgspec

from edge.access.service_accounts import service_account
from edge.accounts.client import GRANT_TYPES, Client, GrantType
from edge.accounts.clients import ClientWithSecret
from edge.cli.common import fail, print_json, with_stores
from edge.composition import Edge
from edge.reasons import Reason
from edge.telemetry.events import (
    AccountChanged,
    ClientCreated,
    ClientDisabled,
    ClientEnabled,
    ClientSecretRotated,
)

_EXPLANATIONS = {
    Reason.CLIENT_ID_INVALID: "ids have 1 to 64 of A-Z a-z 0-9 - . _ ~",
    Reason.CLIENT_ID_TAKEN: "another client has this id",
    Reason.CLIENT_NAME_INVALID: "names have up to 200 printable characters",
    Reason.CLIENT_IS_PUBLIC: "a public client has no secret, which this needs",
    Reason.GRANT_INVALID: (
        "refresh_token needs password beside it, and a public client may not use client_credentials"
    ),
    Reason.SCOPE_INVALID: "a scope is not among those of EDGE_ACCESS_SCOPES",
    Reason.ROLE_INVALID: "roles have up to 32 of a-z 0-9 _ - and start with a letter",
}

_json_option = click.option("--json", "as_json", is_flag=True, help="Print for machines.")
_id_argument = click.argument("client_id", metavar="ID")


class ShownClient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A client as it is printed; `secret` only where it is new."""

    id: str
    name: str
    kind: str
    grants: Sequence[str]
    scopes: Sequence[str]
    roles: Sequence[str]
    may_introspect: bool
    is_disabled: bool
    created_at: datetime
    updated_at: datetime
    secret: str | None = None


@click.group()
def clients() -> None:
    """Make, show and change OAuth clients."""


@clients.command()
@_id_argument
@click.option("--name", help="What people know it by; the id if left out.")
@click.option("--public", is_flag=True, help="It cannot keep a secret, so it gets none.")
@click.option(
    "--grant",
    "grants",
    multiple=True,
    type=click.Choice(GRANT_TYPES),
    help="A grant type; several times. Without: client_credentials, or, for a public client,"
    " password and refresh_token.",
)
@click.option("--scope", "scopes", multiple=True, help="A scope it may get; several times.")
@click.option("--role", "roles", multiple=True, help="A role of its own; several times.")
@click.option("--introspect", is_flag=True, help="It may ask about the tokens of all clients.")
@_json_option
def add(
    client_id: str,
    name: str | None,
    grants: tuple[GrantType, ...],
    scopes: tuple[str, ...],
    roles: tuple[str, ...],
    *,
    public: bool,
    introspect: bool,
    as_json: bool,
) -> None:
    """Add a client; its secret is printed once, and cannot be shown again."""

    async def work(edge: Edge) -> ClientWithSecret | Reason:
        return await edge.clients.add(
            client_id,
            name=name,
            is_confidential=not public,
            grants=grants,
            scopes=scopes,
            roles=roles,
            may_introspect=introspect,
        )

    _change(work, ClientCreated, as_json=as_json)


@clients.command(name="list")
@_json_option
def list_clients(*, as_json: bool) -> None:
    """List all clients but the built-in one (EDGE_TOKENS_CLIENT_ID)."""

    async def work(edge: Edge) -> Sequence[Client]:
        return await edge.clients.all()

    found = with_stores(work)
    if as_json:
        print_json([_shown(client) for client in found])
        return
    for client in found:
        click.echo(_line(client))


@clients.command(name="rotate-secret")
@_id_argument
@_json_option
def rotate_secret(client_id: str, *, as_json: bool) -> None:
    """Give a client a new secret, printed once; the old one is refused at once.

    Tokens that the client has stay good.
    """

    async def work(edge: Edge) -> ClientWithSecret | Reason | None:
        return await edge.clients.rotate_secret(client_id)

    _change(work, ClientSecretRotated, as_json=as_json)


@clients.command()
@_id_argument
@_json_option
def disable(client_id: str, *, as_json: bool) -> None:
    """Keep a client out, which ends its sessions and all tokens it got."""

    async def work(edge: Edge) -> ClientWithSecret | None:
        client = await edge.clients.disable(client_id)
        return ClientWithSecret(client, None) if client else None

    _change(work, ClientDisabled, as_json=as_json)


@clients.command()
@_id_argument
@_json_option
def enable(client_id: str, *, as_json: bool) -> None:
    """Let a disabled client in again."""

    async def work(edge: Edge) -> ClientWithSecret | None:
        client = await edge.clients.enable(client_id)
        return ClientWithSecret(client, None) if client else None

    _change(work, ClientEnabled, as_json=as_json)


def _change(
    work: Callable[[Edge], Awaitable[ClientWithSecret | Reason | None]],
    event: type[AccountChanged],
    *,
    as_json: bool,
) -> None:
    """Do it, take note of it, and print the client."""

    async def work_and_record(edge: Edge) -> ClientWithSecret:
        outcome = await work(edge)
        if outcome is None:
            fail("there is no such client")
        if isinstance(outcome, Reason):
            fail(f"{outcome}: {_EXPLANATIONS[outcome]}")
        edge.record(event(principal=service_account(outcome.client), by="cli"))
        return outcome

    changed = with_stores(work_and_record)
    if as_json:
        print_json(_shown(changed.client, changed.secret))
        return
    click.echo(_line(changed.client))
    if changed.secret is not None:
        click.echo(f"secret: {changed.secret}")


def _shown(client: Client, secret: str | None = None) -> ShownClient:
    return ShownClient(
        id=client.id,
        name=client.name,
        kind=_kind(client),
        grants=client.grants,
        scopes=sorted(client.scopes),
        roles=client.roles,
        may_introspect=client.may_introspect,
        is_disabled=client.is_disabled,
        created_at=_moment(client.created_at_ms),
        updated_at=_moment(client.updated_at_ms),
        secret=secret,
    )


def _line(client: Client) -> str:
    state = "disabled" if client.is_disabled else "enabled"
    scopes = ",".join(sorted(client.scopes)) or "-"
    return f"{client.id}  {_kind(client)}  {state}  {','.join(client.grants)}  {scopes}"


def _kind(client: Client) -> str:
    return "confidential" if client.is_confidential else "public"


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
