"""`edge keys`: the signing keys, from the command line.

A running Edge hears of a change within the revocation bound, without a restart.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from edge.cli.common import fail, print_json, with_stores
from edge.composition import Edge
from edge.reasons import Reason
from edge.telemetry.events import KeyAdded, KeyRetired, KeysResealed
from edge.tokens.jose.keys import read_pem
from edge.tokens.key_schedule import KeySchedule
from edge.tokens.keys import Algorithm, KeyRefusedError
from edge.tokens.signing_keys import KnownKey

_EXPLANATIONS = {
    Reason.KEY_UNKNOWN: "there is no such key",
    Reason.KEY_NEEDED: "without it nothing would sign; first run: edge keys rotate",
    Reason.KEY_IN_USE: (
        "tokens signed with it may still be good; it retires by itself (see edge keys list)."
        " To end those tokens now, add --now"
    ),
}

_YEAR_S = 366 * 86_400

_json_option = click.option("--json", "as_json", is_flag=True, help="Print for machines.")
_kid_argument = click.argument("kid", metavar="KID")
_algorithm_option = click.option(
    "--algorithm",
    type=click.Choice(sorted(get_args(Algorithm))),
    help="Instead of EDGE_TOKENS_ALGORITHM.",
)


class ShownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is printed."""

    kid: str
    algorithm: str
    state: str
    created_at: datetime
    activates_at: datetime
    retires_at: datetime | None
    sealed_with: str


@click.group()
def keys() -> None:
    """Show, exchange and retire signing keys."""


@keys.command(name="list")
@_json_option
def list_keys(*, as_json: bool) -> None:
    """List all keys and when they sign."""
    shown = [_shown(key) for key in with_stores(_all)]
    if as_json:
        print_json(shown)
        return
    for key in shown:
        click.echo(_line(key))


@keys.command()
@_algorithm_option
@click.option(
    "--in",
    "in_s",
    type=click.IntRange(0, _YEAR_S),
    default=0,
    metavar="SECONDS",
    help="When it begins to sign; not before others have had the time to learn of it.",
)
@_json_option
def add(algorithm: Algorithm | None, in_s: int, *, as_json: bool) -> None:
    """Make a key that follows all others at a time of your choice."""
    _add(algorithm, in_s=in_s, at_once=False, as_json=as_json)


@keys.command()
@_algorithm_option
@click.option("--now", "at_once", is_flag=True, help="Sign with it at once; says what breaks.")
@_json_option
def rotate(algorithm: Algorithm | None, *, at_once: bool, as_json: bool) -> None:
    """Make a key that follows all others as soon as nothing breaks by it."""
    _add(algorithm, in_s=0, at_once=at_once, as_json=as_json)


@keys.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_algorithm_option
@_json_option
def import_key(file: Path, algorithm: Algorithm | None, *, as_json: bool) -> None:
    """Add a private key of your own, a JWK or in PEM, as `edge keys rotate` adds a new one."""
    try:
        jwk = _read_key(file)
    except (KeyRefusedError, ValueError, OSError) as error:
        fail(f"{file}: {error}")
    _add(algorithm, in_s=0, at_once=False, as_json=as_json, jwk=jwk)


# One kid in 64 begins with a hyphen, and no letter of it may be taken for an option.
@keys.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@_kid_argument
@click.option("--now", "at_once", is_flag=True, help="Also where tokens it signed are alive.")
def retire(kid: str, *, at_once: bool) -> None:
    """Let a key count for nothing from now on: tokens that it signed are refused."""

    async def work(edge: Edge) -> Reason | None:
        refused = await edge.signing_keys.retire(kid, at_once=at_once)
        if refused is None:
            edge.record(KeyRetired(kid=kid, by="cli"))
        return refused

    refused = with_stores(work)
    if refused is not None:
        fail(f"{refused}: {_EXPLANATIONS[refused]}")
    click.echo(f"{kid}  retired")
    click.echo("Tokens that it signed are refused by Edge within the revocation bound;", err=True)
    click.echo("others accept them until they read the JWK Set again.", err=True)


@keys.command(name="export-public")
def export_public() -> None:
    """Print the JWK Set that /.well-known/jwks.json answers with."""

    async def work(edge: Edge) -> bytes:
        return edge.key_ring.jwk_set.body

    click.echo(msgspec.json.format(with_stores(work), indent=2).decode())


@keys.command()
def reseal() -> None:
    """Seal all keys anew under EDGE_SECRET_KEY, after it was exchanged."""

    async def work(edge: Edge) -> int:
        count = await edge.signing_keys.reseal()
        if count:
            edge.record(KeysResealed(count=count))
        return count

    count = with_stores(work)
    click.echo(f"{count} {'key' if count == 1 else 'keys'} sealed anew")


def _add(
    algorithm: Algorithm | None,
    *,
    in_s: int,
    at_once: bool,
    as_json: bool,
    jwk: dict[str, Any] | None = None,
) -> None:
    async def work(edge: Edge) -> tuple[ShownKey, KeySchedule]:
        try:
            key = (
                edge.signing_keys.seal(jwk, algorithm)
                if jwk is not None
                else edge.signing_keys.make(algorithm)
            )
        except KeyRefusedError as error:
            fail(str(error))
        if not await edge.signing_keys.add(key, in_s=in_s, at_once=at_once):
            fail("there is a key with this kid already")
        edge.record(KeyAdded(kid=key.kid, algorithm=key.algorithm, by="cli"))
        [shown] = [_shown(known) for known in await _all(edge) if known.times.kid == key.kid]
        return shown, edge.signing_keys.schedule

    shown, schedule = with_stores(work)
    if as_json:
        print_json(shown)
    else:
        click.echo(_line(shown))
    if at_once:
        seconds = schedule.jwks_max_age_s + schedule.skew_s
        click.echo(
            f"It signs now. Whoever keeps the JWK Set refuses its tokens until they read it again,"
            f" up to {seconds} s.",
            err=True,
        )


async def _all(edge: Edge) -> Sequence[KnownKey]:
    return await edge.signing_keys.all()


def _read_key(file: Path) -> dict[str, Any]:
    text = file.read_text("utf-8")
    if text.lstrip().startswith("-----BEGIN"):
        return read_pem(text)
    jwk = json.loads(text)
    if not isinstance(jwk, dict):
        message = "this is no JWK"
        raise KeyRefusedError(message)
    return jwk


def _shown(key: KnownKey) -> ShownKey:
    times = key.times
    return ShownKey(
        kid=times.kid,
        algorithm=key.algorithm,
        state=key.state,
        created_at=_moment(times.created_at_ms),
        activates_at=_moment(times.activates_at_ms),
        retires_at=None if times.retires_at_ms is None else _moment(times.retires_at_ms),
        sealed_with="current" if key.is_current else "previous",
    )


def _line(key: ShownKey) -> str:
    retires = "-" if key.retires_at is None else f"{key.retires_at:%Y-%m-%dT%H:%M:%SZ}"
    sealed = "" if key.sealed_with == "current" else "  sealed with the previous secret key"
    return (
        f"{key.kid}  {key.algorithm}  {key.state}"
        f"  signs from {key.activates_at:%Y-%m-%dT%H:%M:%SZ}  retires {retires}{sealed}"
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
