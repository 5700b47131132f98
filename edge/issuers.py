"""The part of the composition root that makes trusted issuers out of settings."""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from edge.settings.model import TrustedIssuer
from edge.telemetry.events import IssuerKeysChanged, IssuerUnavailable, Record
from edge.tokens.claims import ClaimsPolicy
from edge.tokens.foreign_tokens import ClaimMap, ForeignTokens
from edge.tokens.jose.key_sets import parse_key_set
from edge.tokens.key_set_file import FileKeySet
from edge.tokens.key_sets import KeySetFetcher, KeySetTiming, RemoteKeySet
from edge.tokens.verifier import Verifier

# A slow provider delays the start by that much at most; it is asked further in the background.
_FIRST_WAIT_S = 1.0


def reader_of(trusted: TrustedIssuer) -> ForeignTokens:
    """Make what reads the tokens of an issuer."""
    return ForeignTokens(
        ClaimsPolicy(
            issuer=trusted.issuer,
            audiences=frozenset(trusted.audiences),
            leeway_s=trusted.leeway_s,
            types=frozenset(name.lower() for name in trusted.types),
        ),
        prefix=trusted.subject_prefix,
        roles=ClaimMap(_path(trusted.roles_claim), trusted.roles),
        scopes=ClaimMap(_path(trusted.scopes_claim), trusted.scopes),
    )


def key_set_of(
    trusted: TrustedIssuer, verifier: Verifier, record: Record, clock: Callable[[], float]
) -> RemoteKeySet:
    """Make what keeps the keys of an issuer in the verifier."""
    return RemoteKeySet(
        _fetcher(trusted),
        parse=partial(parse_key_set, allowed=trusted.algorithms),
        trust=partial(verifier.replace_keys, trusted.issuer),
        timing=KeySetTiming(
            refresh_s=trusted.refresh_s,
            stale_s=trusted.stale_s,
            clock=clock,
            jitter=lambda: random.uniform(0.9, 1.1),  # noqa: S311  # no secret
        ),
        watcher=_Recorder(trusted.issuer, record),
    )


async def fetch_first(key_sets: Iterable[RemoteKeySet]) -> None:
    """Give each key set a moment to be fetched before the first request comes."""
    tasks = [asyncio.create_task(key_set.refresh()) for key_set in key_sets]
    if tasks:
        await asyncio.wait(tasks, timeout=_FIRST_WAIT_S)


class _Recorder:
    """The `KeySetWatcher` that writes events."""

    def __init__(self, issuer: str, record: Record) -> None:
        self._issuer = issuer
        self._record = record

    def keys_changed(self, kids: list[str], left_out: list[str]) -> None:
        event = IssuerKeysChanged(issuer=self._issuer, count=len(kids), left_out=tuple(left_out))
        self._record(event)

    def unavailable(self, problem: str) -> None:
        self._record(IssuerUnavailable(issuer=self._issuer, reason=problem))


def _fetcher(trusted: TrustedIssuer) -> KeySetFetcher:
    if trusted.jwks_url is None:
        assert trusted.jwks_file is not None  # noqa: S101  # the settings were checked
        return FileKeySet(trusted.jwks_file)
    from edge.tokens.httpx import HttpKeySet  # noqa: PLC0415  # slow to import, for those who use it

    return HttpKeySet(trusted.jwks_url)


def _path(claim: str | Sequence[str]) -> Sequence[str]:
    return tuple(claim.split(".")) if isinstance(claim, str) and claim else tuple(claim)
