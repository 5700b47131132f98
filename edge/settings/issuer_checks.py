"""What a table of `[[issuers]]` may not be, beyond the type of each value."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from edge.accounts.user import is_role_name
from edge.settings.findings import Finding
from edge.settings.model import Settings, TrustedIssuer

# RFC 6838 section 4.2: what may stand behind `application/`, which a `typ` leaves out.
_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")


def check_issuers(settings: Settings) -> Iterator[Finding]:
    """Find everything wrong with the trusted issuers, each by itself and all together."""
    names = [trusted.issuer for trusted in settings.issuers]
    prefixes = [trusted.subject_prefix for trusted in settings.issuers]
    for number, trusted in enumerate(settings.issuers):
        place = f"EDGE_ISSUERS[{number}]"
        if trusted.issuer == settings.base_url:
            yield _error(f"{place}.issuer", "is this Edge itself", "remove it")
        if trusted.issuer in names[:number]:
            yield _error(f"{place}.issuer", "is there already", "put both into one")
        if trusted.subject_prefix == "client":
            yield _error(f"{place}.subject_prefix", "is that of our own clients", "use another one")
        if trusted.subject_prefix in prefixes[:number]:
            yield _error(f"{place}.subject_prefix", "is there already", "use another one")
        yield from _keys(place, trusted, settings)
        yield from _claims(place, trusted)
        yield from _maps(place, trusted, settings)


def _keys(place: str, trusted: TrustedIssuer, settings: Settings) -> Iterator[Finding]:
    if (trusted.jwks_url is None) == (trusted.jwks_file is None):
        yield _error(f"{place}.jwks_url", "or jwks_file is needed, and only one of them", "set one")
    if trusted.jwks_url is not None:
        yield from _jwks_url(f"{place}.jwks_url", trusted.jwks_url, settings)
    if trusted.stale_s < trusted.refresh_s:
        yield _error(
            f"{place}.stale_s",
            "is less than refresh_s: its keys would end before they are fetched again",
            f"make it at least {trusted.refresh_s}, or lower refresh_s",
        )


def _jwks_url(place: str, text: str, settings: Settings) -> Iterator[Finding]:
    fix = "set it to the URL of its JWK Set, such as https://login.example.com/jwks"
    try:
        url = urlsplit(text)
        is_url = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        yield _error(place, "is not a URL", fix)
        return
    if not is_url or url.username or url.fragment:
        yield _error(place, "is not an http or https URL without a user or a fragment", fix)
    elif settings.is_production and url.scheme != "https":
        yield _error(place, "is not https, and production needs it", fix)


def _claims(place: str, trusted: TrustedIssuer) -> Iterator[Finding]:
    for name in trusted.types:
        if not _TYPE.fullmatch(name):
            yield _error(
                f"{place}.types",
                f"has {name!r}, which is no `typ` of a token",
                "write it as its tokens do, without application/, such as at+jwt",
            )
    if "" in trusted.audiences:
        yield _error(f"{place}.audiences", "has an empty one", "name what its tokens are for")


def _maps(place: str, trusted: TrustedIssuer, settings: Settings) -> Iterator[Finding]:
    for theirs, ours in trusted.roles.items():
        if not is_role_name(ours):
            yield _error(
                f"{place}.roles",
                f"maps {theirs!r} to {ours!r}, which no role can be called",
                "use the name of a role of this Edge, such as user",
            )
    known = settings.access.scopes
    for theirs, ours in trusted.scopes.items():
        if ours not in known:
            yield _error(
                f"{place}.scopes",
                f"maps {theirs!r} to {ours!r}, which is not in EDGE_ACCESS_SCOPES",
                f"use one of {', '.join(sorted(known))}, or add it there",
            )
    if trusted.roles and not trusted.roles_claim:
        yield _error(
            f"{place}.roles_claim",
            "is not set, so roles maps nothing",
            "say where its roles are, such as realm_access.roles",
        )
    if trusted.scopes and not trusted.scopes_claim:
        yield _error(
            f"{place}.scopes_claim", "is empty, so scopes maps nothing", "say where its scopes are"
        )


def _error(place: str, problem: str, fix: str) -> Finding:
    return Finding("error", place, problem, fix)
