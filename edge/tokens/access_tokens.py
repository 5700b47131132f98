"""What an issued access token says."""

from collections.abc import Callable, Iterable
from uuid import UUID

import msgspec

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.claims import AccessClaims
from edge.tokens.ports import AccessTokenSigner


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets an access token, through which session, to do what."""

    subject: str
    session_id: UUID | None
    client_id: str
    roles: Iterable[str]
    scopes: Iterable[str]
    epoch: int


class IssuedToken(msgspec.Struct, frozen=True):
    """A signed access token, and how many seconds it is good for."""

    token: str
    expires_in_s: int

    def __repr__(self) -> str:
        return "IssuedToken(********)"


class AccessTokenIssuer:
    """Issues signed access tokens. `clock` gives seconds since the epoch."""

    def __init__(
        self,
        signer: AccessTokenSigner,
        *,
        issuer: str,
        audience: str,
        lifetime_s: int,
        clock: Callable[[], float],
        new_id: Callable[[], UUID],
    ) -> None:
        self._signer = signer
        self._issuer = issuer
        self._audience = audience
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._new_id = new_id

    def ensure_able(self) -> None:
        """See that a token can be issued, before something is done that cannot be undone.

        Raises:
            UnavailableError: as `issue` does.
        """
        self._lifetime_from(int(self._clock()))

    def issue(self, grant: Grant) -> IssuedToken:
        """Issue a token that lives as long as set, or as its key does.

        Raises:
            UnavailableError: the keys at hand are too old to sign with.
        """
        now = int(self._clock())
        lifetime_s = self._lifetime_from(now)
        claims = AccessClaims(
            iss=self._issuer,
            sub=grant.subject,
            aud=self._audience,
            exp=now + lifetime_s,
            iat=now,
            jti=str(self._new_id()),
            client_id=grant.client_id,
            sid=None if grant.session_id is None else str(grant.session_id),
            epoch=grant.epoch,
            scope=" ".join(sorted(grant.scopes)),
            roles=tuple(sorted(grant.roles)),
        )
        return IssuedToken(self._signer.sign(claims), lifetime_s)

    def _lifetime_from(self, now: int) -> int:
        lifetime_s = int(min(self._lifetime_s, self._signer.latest_expiry_s() - now))
        if lifetime_s <= 0:
            raise UnavailableError(Reason.SIGNING_UNAVAILABLE)
        return lifetime_s
