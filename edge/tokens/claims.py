"""The claims of an access token (RFC 9068) and the rules they must keep."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from edge.reasons import Reason

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  # RFC 9068 section 2.1, no password

_Text = Annotated[str, Meta(min_length=1, max_length=255)]
# A NumericDate (RFC 7519 section 2) as a whole number, and one that fits a calendar.
_Date = Annotated[int, Meta(ge=0, le=253_402_300_799)]


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What an access token says. Dates are seconds since the epoch; unknown claims are ignored."""

    iss: str
    sub: _Text
    aud: str | tuple[str, ...]
    exp: _Date
    iat: _Date
    jti: _Text
    client_id: _Text
    sid: _Text
    epoch: Annotated[int, Meta(ge=0)]
    scope: str = ""
    roles: tuple[str, ...] = ()
    nbf: _Date = 0

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scope.split())


class ClaimsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Whose tokens for whom are accepted; `leeway_s` forgives clocks that differ."""

    issuer: str
    audience: str
    leeway_s: int

    def check(self, claims: AccessClaims, now_s: float) -> Reason | None:
        """Say why the claims do not hold at `now_s`, None where they do."""
        if claims.iss != self.issuer:
            return Reason.ISSUER_UNKNOWN
        audiences = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
        if self.audience not in audiences:
            return Reason.AUDIENCE_MISMATCH
        if now_s >= claims.exp + self.leeway_s:
            return Reason.TOKEN_EXPIRED
        if now_s < max(claims.nbf, claims.iat) - self.leeway_s:
            return Reason.TOKEN_NOT_YET_VALID
        return None
