"""The claims of an access token (RFC 9068), and what a verified one comes to."""

from math import inf
from typing import Annotated, Final, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from edge.reasons import Reason

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  # RFC 9068 section 2.1, no password
# Of our own: no verifier of access tokens takes it (RFC 8725 section 3.11).
ASSERTION_TYPE: Final = "edge-assertion+jwt"
# What the subject of a service account begins with; no user's id does, nor any foreign prefix.
CLIENT_PREFIX: Final = "client:"

Text = Annotated[str, Meta(min_length=1, max_length=255)]
# A NumericDate (RFC 7519 section 2) as a whole number, and one that fits a calendar.
Date = Annotated[int, Meta(ge=0, le=253_402_300_799)]


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an access token of Edge says; dates in seconds since the epoch.

    `sub` is a user's id or, for a service account, `client:` and the client's id, and then there is
    no `sid`. Claims that are not listed are ignored.
    """

    iss: str
    sub: Text
    aud: str | tuple[str, ...]
    exp: Date
    iat: Date
    jti: Text
    client_id: Text
    epoch: Annotated[int, Meta(ge=0)]
    sid: Text | None = None
    scope: str = ""
    roles: tuple[str, ...] = ()
    nbf: Date = 0


class AssertionClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What an assertion says of who is asking; dates in seconds since the epoch.

    `aud` is the service it is for, `method` how the principal was authenticated.
    """

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    method: str
    roles: tuple[str, ...]
    scope: str


class VerifiedToken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An access token that held, of Edge's own or of a trusted issuer; roles as assigned.

    `subject` is unique among all issuers; only a user of this Edge has a `user_id`, and, but for
    a service account, a `session_id`. `issuer` is empty for Edge's own tokens, as in the change
    list of revocations; the three names are those under which this token may have been revoked.
    From `good_until_s` on it needs another look: it may have expired, or its key retired.
    """

    issuer: str
    subject: str
    expires_at_s: int
    roles: tuple[str, ...]
    scopes: frozenset[str]
    epoch: int
    subject_name: str
    session_name: str
    token_name: str
    session: str | None = None
    client_id: str | None = None
    token_id: str | None = None
    issued_at_s: int = 0
    good_until_s: float = inf

    @property
    def user_id(self) -> UUID | None:
        is_user = not self.issuer and not self.subject.startswith(CLIENT_PREFIX)
        return UUID(self.subject) if is_user else None

    @property
    def session_id(self) -> UUID | None:
        return UUID(self.session) if self.session is not None and not self.issuer else None


class DatedClaims(Protocol):
    """For whom a token is, and when it is good; dates in seconds since the epoch."""

    @property
    def aud(self) -> str | tuple[str, ...]: ...

    @property
    def exp(self) -> int: ...

    @property
    def iat(self) -> int: ...

    @property
    def nbf(self) -> int: ...


class ClaimsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """For whom tokens must be, of which type; `leeway_s` forgives clocks that differ."""

    issuer: str
    audiences: frozenset[str]
    leeway_s: int
    types: frozenset[str] = frozenset({ACCESS_TOKEN_TYPE})

    def check(self, claims: DatedClaims, now_s: float) -> Reason | None:
        """Say why a token with these claims does not hold at `now_s`, None where it does."""
        aud = claims.aud
        if isinstance(aud, str):
            if aud not in self.audiences:
                return Reason.AUDIENCE_MISMATCH
        elif self.audiences.isdisjoint(aud):
            return Reason.AUDIENCE_MISMATCH
        leeway_s = self.leeway_s
        if now_s >= claims.exp + leeway_s:
            return Reason.TOKEN_EXPIRED
        soonest_s = now_s + leeway_s
        if soonest_s < claims.iat or soonest_s < claims.nbf:
            return Reason.TOKEN_NOT_YET_VALID
        return None


def revocation_name(kind: str, issuer: str, subject: str) -> str:
    """Give the name under which the change list's row kills tokens; an issuer has no blanks."""
    return f"{kind} {issuer} {subject}"
