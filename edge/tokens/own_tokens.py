"""Reading Edge's own access tokens."""

from functools import lru_cache
from typing import Final

import msgspec

from edge.tokens.claims import AccessClaims, ClaimsPolicy, VerifiedToken

_decode: Final = msgspec.json.Decoder(AccessClaims).decode
_encode: Final = msgspec.json.Encoder().encode

_SHARED_SCOPES: Final = 256


class OwnTokens:
    """The `TokenReader` of Edge's own tokens."""

    def __init__(self, policy: ClaimsPolicy) -> None:
        self.policy = policy
        self.decode, self.encode = _decode, _encode
        self.check = policy.check
        self._leeway_s = policy.leeway_s
        # Few sets of scopes are granted, to many tokens; they share them.
        self._scopes = lru_cache(_SHARED_SCOPES)(_split)

    def accept(
        self,
        claims: AccessClaims,
        payload: bytes,  # noqa: ARG002  # the port's
        key_retires_at_s: float,
    ) -> VerifiedToken:
        subject, session, token_id, expires_at_s = claims.sub, claims.sid, claims.jti, claims.exp
        good_until_s: float = expires_at_s + self._leeway_s
        if key_retires_at_s < good_until_s:  # noqa: PLR1730  # min() takes three times as long
            good_until_s = key_retires_at_s
        return VerifiedToken(
            issuer="",
            subject=subject,
            expires_at_s=expires_at_s,
            roles=claims.roles,
            scopes=self._scopes(claims.scope),
            epoch=claims.epoch,
            subject_name=f"user  {subject}",
            session_name=f"session  {session}",
            token_name=f"token  {token_id}",
            session=session,
            client_id=claims.client_id,
            token_id=token_id,
            issued_at_s=claims.iat,
            good_until_s=good_until_s,
        )


def _split(scope: str) -> frozenset[str]:
    return frozenset(scope.split())
