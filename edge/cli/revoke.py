"""`edge revoke`: ending sessions and tokens from the command line.

A running Edge hears of it within the revocation bound.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import click

from edge.cli.common import fail, with_stores
from edge.composition import Edge
from edge.telemetry.events import (
    AccountSessionsEnded,
    LoggedOut,
    SecurityEvent,
    TokenRevoked,
)
from edge.tokens.revocations import Kind

_issuer_option = click.option(
    "--issuer", metavar="ISS", help="Of this trusted issuer, instead of Edge itself."
)
_for_option = click.option(
    "--for",
    "lifetime_s",
    type=click.IntRange(1, 366 * 86_400),
    metavar="SECONDS",
    help="For how long, where it is an issuer's: as long as its tokens may live. A day without.",
)
_DAY_S: Final = 86_400


def _named(_: click.Context, parameter: click.Parameter, value: str) -> str:
    """Refuse what an empty shell variable gives: tokens without such a claim would match it."""
    if not value.strip():
        message = "is empty"
        raise click.BadParameter(message, param=parameter)
    return value


@click.group()
def revoke() -> None:
    """End sessions and tokens before they expire."""


@revoke.command()
@click.argument("session_id", metavar="ID", callback=_named)
@_issuer_option
@_for_option
def session(session_id: str, issuer: str | None, lifetime_s: int | None) -> None:
    """End a session and its access tokens (the `sid` of a token)."""

    async def work(edge: Edge) -> SecurityEvent:
        try:
            ended = await edge.sessions.end(UUID(session_id))
        except ValueError:
            ended = False
        if not ended:
            fail("there is no such session, or it has ended")
        return LoggedOut(session=session_id)

    _revoke(work, "session", session_id, issuer, lifetime_s)


@revoke.command()
@click.argument("name", callback=_named)
@_issuer_option
@_for_option
def user(name: str, issuer: str | None, lifetime_s: int | None) -> None:
    """End all sessions and access tokens of a user: a username, or the `sub` at an issuer.

    At an issuer it also refuses the tokens that the user gets within `--for`.
    """

    async def work(edge: Edge) -> SecurityEvent:
        found = await edge.accounts.find_by_name(name)
        if found is None:
            fail("there is no such user")
        await edge.accounts.end_sessions(found.id)
        return AccountSessionsEnded(principal=str(found.id), by="cli")

    _revoke(work, "user", name, issuer, lifetime_s)


@revoke.command()
@click.argument("token_id", metavar="JTI", callback=_named)
@_issuer_option
@_for_option
def token(token_id: str, issuer: str | None, lifetime_s: int | None) -> None:
    """End one access token (its `jti`); its session goes on."""

    async def work(edge: Edge) -> SecurityEvent:
        await edge.revocation_log.add("token", token_id, lifetime_s=edge.revocation_lifetime_s)
        return TokenRevoked(by="cli")

    _revoke(work, "token", token_id, issuer, lifetime_s)


def _revoke(
    own: Callable[[Edge], Awaitable[SecurityEvent]],
    kind: Kind,
    subject: str,
    issuer: str | None,
    lifetime_s: int | None,
) -> None:
    """End something of our own, or put it into the change list for an issuer."""
    if lifetime_s is not None and issuer is None:
        fail("--for goes with --issuer: what is of Edge itself ends for good")

    async def work(edge: Edge) -> None:
        if issuer is None:
            edge.record(await own(edge))
            return
        trusted = {one.issuer: one.subject_prefix for one in edge.settings.issuers}
        if issuer not in trusted:
            fail(f"{issuer} is not a trusted issuer; these are: {', '.join(trusted) or 'none'}")
        prefix = f"{trusted[issuer]}:" if kind == "user" else ""  # as logs show its subjects
        # An issuer's tokens have no epoch, which counts as 0: any higher one ends them all.
        epoch = 1 if kind == "user" else None
        await edge.revocation_log.add(
            kind,
            subject.removeprefix(prefix),
            issuer=issuer,
            epoch=epoch,
            lifetime_s=lifetime_s or _DAY_S,
        )
        edge.record(TokenRevoked(by="cli", issuer=issuer))

    with_stores(work)
    click.echo(f"{kind} {subject}  revoked")
