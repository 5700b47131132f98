"""Reading Edge's own access tokens."""

from typing import Final
from uuid import UUID

import msgspec

from edge.reasons import Reason
from edge.tokens.claims import CLIENT_PREFIX, AccessClaims, ClaimsPolicy, VerifiedToken

_decode: Final = msgspec.json.Decoder(AccessClaims).decode


class OwnTokens:
    """The `TokenReader` of Edge's own tokens."""

    def __init__(self, policy: ClaimsPolicy) -> None:
        self.policy = policy

    def decode(self, payload: bytes) -> AccessClaims:
        return _decode(payload)

    def check(self, claims: AccessClaims, now_s: float) -> Reason | None:
        return self.policy.check_audience(claims.aud) or self.policy.check_dates(
            exp=claims.exp, nbf=claims.nbf, iat=claims.iat, now_s=now_s
        )

    def accept(self, claims: AccessClaims) -> VerifiedToken:
        subject = claims.sub
        names = (f"session  {claims.sid}", f"token  {claims.jti}")
        return VerifiedToken(
            issuer="",
            subject=subject,
            expires_at_s=claims.exp,
            roles=claims.roles,
            scopes=frozenset(claims.scope.split()),
            epoch=claims.epoch,
            subject_name=f"user  {subject}",
            revocation_names=frozenset(names),
            user_id=None if subject.startswith(CLIENT_PREFIX) else UUID(subject),
            session_id=claims.sid,
            client_id=claims.client_id,
            token_id=claims.jti,
            issued_at_s=claims.iat,
        )
