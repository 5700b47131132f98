"""CORS: exact origins, computed once; an origin that is not allowed learns nothing."""

from collections.abc import Iterable
from typing import Final

Fields = list[tuple[bytes, bytes]]

_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_REQUEST_FIELDS: Final = b"Authorization, Content-Type, X-Request-Id"
_EXPOSED: Final = "WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id"
_MAX_AGE_S: Final = b"600"


class Cors:
    """Which origins' pages may read answers; `*` stands for all, never with credentials.

    Origins are compared as they are: browsers send them in one form only.
    """

    def __init__(
        self, origins: Iterable[str], *, allow_credentials: bool, also_exposed: Iterable[str] = ()
    ) -> None:
        allowed = frozenset(origin.encode("ascii") for origin in origins)
        self._allows_all = b"*" in allowed
        self._allowed = allowed
        self._is_off = not allowed
        self._exposed = ", ".join((_EXPOSED, *also_exposed)).encode("ascii")
        self._credentials: Fields = (
            [(b"access-control-allow-credentials", b"true")]
            if allow_credentials and not self._allows_all
            else []
        )

    def fields(self, headers: Iterable[tuple[bytes, bytes]]) -> Fields:
        """Give the fields to add to the answer of a request with these headers."""
        if self._is_off:
            return []
        # Also without an Origin: a cache must not hand this answer to a page of an allowed one.
        vary: Fields = [] if self._allows_all else [(b"vary", b"Origin")]
        origin = _field(headers, b"origin")
        if origin is None or not self._allows(origin):
            return vary
        shown = b"*" if self._allows_all else origin
        return [
            *vary,
            (b"access-control-allow-origin", shown),
            (b"access-control-expose-headers", self._exposed),
            *self._credentials,
        ]

    def is_preflight(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Say whether a request is a browser's question about a later one (Fetch section 4.8)."""
        return (
            not self._is_off
            and method == "OPTIONS"
            and _field(headers, b"origin") is not None
            and _field(headers, b"access-control-request-method") is not None
        )

    def preflight_fields(self, headers: Iterable[tuple[bytes, bytes]]) -> Fields:
        """Give what a preflight is told on top of `fields`."""
        origin = _field(headers, b"origin")
        if origin is None or not self._allows(origin):
            return []
        return [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _REQUEST_FIELDS),
            (b"access-control-max-age", _MAX_AGE_S),
        ]

    def _allows(self, origin: bytes) -> bool:
        return self._allows_all or origin in self._allowed


def _field(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes | None:
    return next((value for name, value in headers if name == wanted), None)
