"""Reading Edge's own access tokens."""

from functools import lru_cache
from typing import Final

import msgspec

from edge.tokens.claims import AccessClaims, ClaimsPolicy, VerifiedToken

_decode: Final = msgspec.json.Decoder(AccessClaims).decode

_SHARED_SCOPES: Final = 256


class OwnTokens:
    """The `TokenReader` of Edge's own tokens."""

    def __init__(self, policy: ClaimsPolicy) -> None:
        self.policy = policy
        self.check = policy.check
        self._leeway_s = policy.leeway_s
        # Few sets of scopes are granted, to many tokens; they share them.
        self._scopes = lru_cache(_SHARED_SCOPES)(_split)

    def decode(self, payload: bytes) -> AccessClaims:
        return _decode(payload)

    def decode_plain(self, payload: bytes) -> AccessClaims | None:
        """Decode what Edge itself wrote, without a second look for repeated members.

        None where there is more in the payload than these claims: whatever that is, a member
        repeated or unknown or an escape, it brings more quotes than they account for.
        """
        try:
            claims = _decode(payload)
        except ValueError:  # another issuer's, maybe
            return None
        is_plain = claims.iss == self.policy.issuer and payload.count(b'"') == _quotes(claims)
        return claims if is_plain else None

    def accept(self, claims: AccessClaims, key_retires_at_s: float) -> VerifiedToken:
        subject, expires_at_s = claims.sub, claims.exp
        return VerifiedToken(
            issuer="",
            subject=subject,
            expires_at_s=expires_at_s,
            roles=claims.roles,
            scopes=self._scopes(claims.scope),
            epoch=claims.epoch,
            subject_name=f"user  {subject}",
            session_name=f"session  {claims.sid}",
            token_name=f"token  {claims.jti}",
            session=claims.sid,
            client_id=claims.client_id,
            token_id=claims.jti,
            issued_at_s=claims.iat,
            good_until_s=min(expires_at_s + self._leeway_s, key_retires_at_s),
        )


def _split(scope: str) -> frozenset[str]:
    return frozenset(scope.split())


def _quotes(claims: AccessClaims) -> int:
    """Count the quotes of these claims when written once each: two around each name and string."""
    quotes = 26 if isinstance(claims.aud, str) else 24 + 2 * len(claims.aud)
    if claims.sid is not None:
        quotes += 4
    if claims.scope:
        quotes += 4
    if claims.roles:
        quotes += 2 + 2 * len(claims.roles)
    return quotes + 2 if claims.nbf else quotes
