"""CORS: whose pages may read answers, decided by exact origin; others learn nothing. Pure.

Origins are compared as they are: browsers send them in one form only (Fetch section 3.2).
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from edge.globs import matches_any

Fields = list[tuple[bytes, bytes]]

# What a page needs to make sense of an answer, beyond what it may always read.
_EXPOSED: Final = (
    "WWW-Authenticate",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "X-Request-Id",
)
_MOST_PATHS: Final = 4096

ANY: Final = "*"
# Where developers serve their pages from, on any port.
LOCALHOST: Final = tuple(
    f"{scheme}://{host}"
    for scheme in ("http", "https")
    for host in ("localhost", "127.0.0.1", "[::1]")
)
_ANY_PORT: Final = rb"(?::[1-9][0-9]{0,4})?"
_ANY_LABEL: Final = b"://*."
# One label, as `*` in the name of a certificate (RFC 9525 section 6.3).
_LABEL: Final = rb"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"

_VARY: Final = (b"vary", b"Origin")


class CorsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Whose pages may read the answers of some paths; without `paths`, of all.

    `origins` are exact, or have `*` for one label (`https://*.example.com`), or are `*` for all;
    `null` is one like the others. Any port may follow `any_port_of`.
    """

    paths: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    any_port_of: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = ("Authorization", "Content-Type", "X-Request-Id")
    exposed: tuple[str, ...] = ()
    max_age_s: int = 600
    credentials: bool = False


class Cors:
    """Gives each path its rule: that of the first policy that covers it."""

    def __init__(self, policies: Sequence[CorsPolicy]) -> None:
        self._rules = [(policy.paths, CorsRule(policy)) for policy in policies]
        self._is_by_path = any(policy.paths for policy in policies)
        self._find = lru_cache(_MOST_PATHS)(self._look_up)

    def rule_for(self, path: str) -> "CorsRule | None":
        """Give the rule for a path; None where no page of another origin may read."""
        return self._find(path if self._is_by_path else "")

    def _look_up(self, path: str) -> "CorsRule | None":
        covering = (rule for paths, rule in self._rules if not paths or matches_any(path, paths))
        rule = next(covering, None)
        return rule if rule and rule.allows_some else None


class CorsRule:
    """A policy, with every field made ready."""

    def __init__(self, policy: CorsPolicy) -> None:
        self._allows_all = ANY in policy.origins
        origins = [origin.encode("ascii") for origin in policy.origins]
        self._exact = frozenset(origin for origin in origins if _ANY_LABEL not in origin)
        patterns = [_subdomains(origin) for origin in origins if _ANY_LABEL in origin]
        patterns += [re.escape(one.encode("ascii")) + _ANY_PORT for one in policy.any_port_of]
        self._pattern = re.compile(b"|".join(patterns)) if patterns else None
        self.allows_some = bool(self._exact or self._pattern)
        # Never with the wildcard: any page could act as the user then.
        has_credentials = policy.credentials and not self._allows_all
        credentials: Fields = [(b"access-control-allow-credentials", b"true")]
        self._credentials = credentials if has_credentials else []
        self._exposed = (b"access-control-expose-headers", _listed(*_EXPOSED, *policy.exposed))
        self._permitted: Fields = [
            (b"access-control-allow-methods", _listed(*policy.methods)),
            (b"access-control-allow-headers", _listed(*policy.headers)),
            (b"access-control-max-age", b"%d" % policy.max_age_s),
        ]
        # Also without an Origin: a cache must not hand this answer to a page of an allowed one.
        self._vary: Fields = [] if self._allows_all else [_VARY]

    def allows(self, origin: bytes) -> bool:
        """Say whether pages of this origin may read answers."""
        return (
            self._allows_all
            or origin in self._exact
            or (self._pattern is not None and self._pattern.fullmatch(origin) is not None)
        )

    def fields(self, origin: bytes | None) -> Fields:
        """Give the fields to add to the answer of a request with this origin, or without one."""
        if origin is None or not self.allows(origin):
            return self._vary
        return [*self._vary, self._allowed(origin), self._exposed, *self._credentials]

    def preflight_fields(self) -> Fields:
        """Give what a preflight of an allowed origin is told on top of `fields`."""
        return self._permitted

    def _allowed(self, origin: bytes) -> tuple[bytes, bytes]:
        return (b"access-control-allow-origin", b"*" if self._allows_all else origin)


def is_preflight(method: str, fields: Mapping[bytes, bytes]) -> bool:
    """Say whether a request is a browser's question about a later one (Fetch section 4.8)."""
    return (
        method == "OPTIONS" and b"origin" in fields and b"access-control-request-method" in fields
    )


def _subdomains(origin: bytes) -> bytes:
    before, _, after = origin.partition(_ANY_LABEL)
    return re.escape(before) + b"://" + _LABEL + re.escape(b"." + after)


def _listed(*values: str) -> bytes:
    return ", ".join(values).encode("ascii")
