"""Reading the access tokens of somebody else: an identity provider that is trusted for some of it.

Roles and scopes are theirs, and mean nothing here before they are mapped; what has no entry in a
map is dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from edge.tokens.claims import ClaimsPolicy, Date, Text, VerifiedToken, revocation_name

Path = Sequence[str]


class ForeignClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims that have the same meaning everywhere (RFC 7519, RFC 9068, OpenID Connect)."""

    iss: str
    sub: Text
    aud: str | tuple[str, ...]
    exp: Date
    iat: Date = 0
    nbf: Date = 0
    jti: Text | None = None
    sid: Text | None = None
    client_id: str | None = None
    azp: str | None = None


_decode: Final = msgspec.json.Decoder(ForeignClaims).decode
_encode: Final = msgspec.json.Encoder().encode
_decode_members: Final = msgspec.json.Decoder(dict[str, Any]).decode


class ClaimMap(msgspec.Struct, frozen=True):
    """Where names are in the claims, and which of ours theirs come to.

    `path` leads through objects, such as `("realm_access", "roles")`; empty for nowhere. The names
    there are a list, or a string with blanks between them.
    """

    path: Path
    names: Mapping[str, str]

    def of(self, members: Mapping[str, Any]) -> frozenset[str]:
        """Give our names for theirs; those without an entry are dropped."""
        if not self.path:
            return frozenset()
        value: Any = members
        for step in self.path:
            value = value.get(step) if isinstance(value, dict) else None
        theirs = _names(value)
        return frozenset(self.names[name] for name in theirs if name in self.names)


class ForeignTokens:
    """The `TokenReader` of a trusted issuer; its subjects get `prefix` and a colon before them."""

    def __init__(
        self, policy: ClaimsPolicy, *, prefix: str, roles: ClaimMap, scopes: ClaimMap
    ) -> None:
        self.policy = policy
        self.decode, self.encode = _decode, _encode
        self.check = policy.check
        self._prefix = prefix
        self._roles = roles
        self._scopes = scopes

    def accept(
        self, claims: ForeignClaims, payload: bytes, key_retires_at_s: float
    ) -> VerifiedToken:
        """Give the token; `ValueError` for a subject that could not be written down."""
        members, issuer = _decode_members(payload), self.policy.issuer
        if not claims.sub.isprintable():
            message = "a subject with control characters"
            raise ValueError(message)
        return VerifiedToken(
            issuer=issuer,
            subject=f"{self._prefix}:{claims.sub}",
            expires_at_s=claims.exp,
            roles=tuple(sorted(self._roles.of(members))),
            scopes=self._scopes.of(members),
            epoch=0,
            subject_name=revocation_name("user", issuer, claims.sub),
            session_name=revocation_name("session", issuer, claims.sid or ""),
            token_name=revocation_name("token", issuer, claims.jti or ""),
            session=claims.sid,
            client_id=claims.client_id or claims.azp,
            token_id=claims.jti,
            issued_at_s=claims.iat,
            good_until_s=min(claims.exp + self.policy.leeway_s, key_retires_at_s),
        )


def _names(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list):
        return [name for name in value if isinstance(name, str)]
    return ()
