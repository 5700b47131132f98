"""Reading the access tokens of somebody else: an identity provider that is trusted for some of it.

Roles and scopes are theirs, and mean nothing here before they are mapped; what has no entry in a
map is dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from edge.reasons import Reason
from edge.tokens.claims import ClaimsPolicy, Date, Text, VerifiedToken, revocation_name

Path = Sequence[str]


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
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


class ForeignClaims(msgspec.Struct, frozen=True):
    """The claims of a foreign token, and all its members, where roles and scopes are."""

    standard: _Claims
    members: Mapping[str, Any]


_decode_standard: Final = msgspec.json.Decoder(_Claims).decode
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
        self._prefix = prefix
        self._roles = roles
        self._scopes = scopes

    def decode(self, payload: bytes) -> ForeignClaims:
        return ForeignClaims(_decode_standard(payload), _decode_members(payload))

    def decode_plain(self, payload: bytes) -> None:  # noqa: ARG002  # the port's
        """Nobody's payload but our own is so well known that it needs no look at its members."""
        return

    def check(self, claims: ForeignClaims, now_s: float) -> Reason | None:
        return self.policy.check(claims.standard, now_s)

    def accept(self, claims: ForeignClaims, key_retires_at_s: float) -> VerifiedToken:
        """Give the token; `ValueError` for a subject that could not be written down."""
        standard, issuer = claims.standard, self.policy.issuer
        if not standard.sub.isprintable():
            message = "a subject with control characters"
            raise ValueError(message)
        return VerifiedToken(
            issuer=issuer,
            subject=f"{self._prefix}:{standard.sub}",
            expires_at_s=standard.exp,
            roles=tuple(sorted(self._roles.of(claims.members))),
            scopes=self._scopes.of(claims.members),
            epoch=0,
            subject_name=revocation_name("user", issuer, standard.sub),
            session_name=revocation_name("session", issuer, standard.sid or ""),
            token_name=revocation_name("token", issuer, standard.jti or ""),
            session=standard.sid,
            client_id=standard.client_id or standard.azp,
            token_id=standard.jti,
            issued_at_s=standard.iat,
            good_until_s=min(standard.exp + self.policy.leeway_s, key_retires_at_s),
        )


def _names(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list):
        return [name for name in value if isinstance(name, str)]
    return ()
