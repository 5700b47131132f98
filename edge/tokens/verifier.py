"""Verifying access tokens: from bytes to a typed token or a reason. The hot path.

Whatever is cheap to look at is looked at before the signature (RFC 8725 section 3): the size, the
header, its key, and the claims in one pass of msgspec, whose time is bounded by the size. What
takes Python's time, such as the search for repeated members, waits for the signature: only holders
of a key can make us do it. Tokens that held are remembered; what is revoked is looked up
afterwards, each time (`edge.tokens.revocations`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256 as _sha256
from typing import Final

import msgspec

from edge.reasons import Reason
from edge.tokens.claims import VerifiedToken
from edge.tokens.compact import decode_segment, read_header
from edge.tokens.keys import VerifyingKey
from edge.tokens.strict_json import read_members
from edge.tokens.token_reader import TokenReader

# Ours have about 700 characters; those of identity providers with hundreds of groups reach this.
MAX_TOKEN_LENGTH: Final = 8192
# Headers differ by key only; that many keys no set of ours has.
_MOST_HEADERS: Final = 256


class _Named(msgspec.Struct, frozen=True):
    iss: str


_read_issuer: Final = msgspec.json.Decoder(_Named).decode


class _Issuer:
    """A trusted issuer: how its tokens are read, and its own keys and nobody else's."""

    __slots__ = ("accept", "check", "decode", "encode", "keys", "name", "types")

    def __init__(self, reader: TokenReader) -> None:
        self.name = reader.policy.issuer
        self.types = reader.policy.types
        self.decode = reader.decode
        self.check = reader.check
        self.encode = reader.encode
        self.accept = reader.accept
        self.keys: Mapping[str, VerifyingKey] = {}


class Verifier:
    """Verifies the access tokens of several issuers, each by its own keys.

    Remembers up to `most_remembered` tokens that held (about 1.1 kB each, see
    `docs/performance.md`), each for as long as it and its key are good. `missed` is told of each
    token that is not remembered.
    """

    def __init__(
        self,
        readers: Iterable[TokenReader],
        *,
        most_remembered: int,
        missed: Callable[[], None] = lambda: None,
    ) -> None:
        issuers = [_Issuer(reader) for reader in readers]
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._owners: dict[str, list[_Issuer]] = {}  # by the `kid` of a key
        # Of tokens that held: whose it was, and by which key.
        self._headers: dict[bytes, tuple[_Issuer, VerifyingKey]] = {}
        self._remembered: dict[bytes, VerifiedToken] = {}
        self._recall = self._remembered.get
        self._order: deque[bytes] = deque()  # the oldest key of a dict is slow to find
        self._most_remembered = most_remembered
        self._missed = missed

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._remembered)

    def replace_keys(self, issuer: str, keys: Iterable[VerifyingKey]) -> None:
        """Trust these keys for the tokens of an issuer; where one has gone, forget all tokens."""
        trusted = self._issuers[issuer]
        before, trusted.keys = trusted.keys, {key.kid: key for key in keys}
        self._headers.clear()
        self._owners = {}
        for owner in self._issuers.values():
            for kid in owner.keys:
                self._owners.setdefault(kid, []).append(owner)
        if any(_has_gone(key, trusted.keys) for key in before.values()):
            self._remembered.clear()
            self._order.clear()

    def claimed(self, token: bytes) -> tuple[str, str] | Reason:
        """Give the trusted issuer and the `kid` that a token names; nothing of it is proven.

        A reason where it names none.
        """
        try:
            header_segment, payload_segment, _ = token.split(b".", 2)
            issuer = _read_issuer(decode_segment(payload_segment)).iss
            kid = read_header(header_segment).kid
        except (ValueError, RecursionError):
            return Reason.TOKEN_MALFORMED
        return (issuer, kid) if issuer in self._issuers else Reason.ISSUER_UNKNOWN

    def recall(self, token: bytes, now_s: float) -> VerifiedToken | None:
        """Give a token that is remembered and still good, without a look at any other."""
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        remembered = self._recall(_sha256(token).digest())
        return remembered if remembered is not None and now_s < remembered.good_until_s else None

    def verify(self, token: bytes, now_s: float) -> VerifiedToken | Reason:
        """Check everything but revocation at `now_s`, in seconds since the epoch."""
        if len(token) > MAX_TOKEN_LENGTH:
            return Reason.TOKEN_MALFORMED
        digest = _sha256(token).digest()
        remembered = self._recall(digest)
        if remembered is not None:
            if now_s < remembered.good_until_s:
                return remembered
            del self._remembered[digest]
        self._missed()
        try:
            return self._verify_unseen(token, digest, now_s)
        except (ValueError, RecursionError):
            return Reason.TOKEN_MALFORMED

    def _verify_unseen(self, token: bytes, digest: bytes, now_s: float) -> VerifiedToken | Reason:
        signing_input, _, signature_segment = token.rpartition(b".")
        header_segment, _, payload_segment = signing_input.partition(b".")
        trusted = self._headers.get(header_segment)
        if trusted is None:
            found = self._find_key(header_segment, payload_segment)
            if isinstance(found, Reason):
                return found
            trusted = found
        issuer, key = trusted
        payload = decode_segment(payload_segment)
        claims = issuer.decode(payload)
        if claims.iss != issuer.name:
            return self._not_the_owner(claims.iss)
        if now_s >= key.retires_at_s:
            return Reason.KEY_UNKNOWN
        problem = issuer.check(claims, now_s)
        if problem is not None:
            return problem
        if not key.verify(signing_input, decode_segment(signature_segment)):
            return Reason.SIGNATURE_INVALID
        if issuer.encode(claims) != payload:
            read_members(payload)
        if header_segment not in self._headers:
            self._accept_header(header_segment, issuer, key)
        verified = issuer.accept(claims, payload, key.retires_at_s)
        self._remember(digest, verified)
        return verified

    def _find_key(
        self, header_segment: bytes, payload_segment: bytes
    ) -> tuple[_Issuer, VerifyingKey] | Reason:
        """Find the key that a header names, and whose it is: of two owners, the one in `iss`."""
        if b"." in payload_segment:  # a JWE, maybe; where the header is known, base64 finds it
            message = "more than three segments"
            raise ValueError(message)
        header = read_header(header_segment)
        owners = self._owners.get(header.kid)
        if owners is None:
            return Reason.KEY_UNKNOWN
        issuer = owners[0]
        if len(owners) > 1:
            name = _read_issuer(decode_segment(payload_segment)).iss
            named = self._issuers.get(name)
            if named not in owners:
                return self._not_the_owner(name)
            issuer = named
        key = issuer.keys[header.kid]
        if header.alg != key.algorithm:
            return Reason.ALGORITHM_MISMATCH
        return (issuer, key) if header.typ in issuer.types else Reason.TYPE_MISMATCH

    def _not_the_owner(self, issuer: str) -> Reason:
        """Say what is wrong with a token of that issuer: the key it names is another's."""
        return Reason.KEY_UNKNOWN if issuer in self._issuers else Reason.ISSUER_UNKNOWN

    def _accept_header(self, segment: bytes, issuer: _Issuer, key: VerifyingKey) -> None:
        """Refuse repeated members; remember the header unless others have a key of that name."""
        read_members(decode_segment(segment))
        if len(self._headers) < _MOST_HEADERS and len(self._owners[key.kid]) == 1:
            self._headers[segment] = issuer, key

    def _remember(self, digest: bytes, token: VerifiedToken) -> None:
        """Keep a token that held; where there is no room, the oldest one goes."""
        order = self._order
        if len(order) == self._most_remembered:
            if not order:
                return
            self._remembered.pop(order.popleft(), None)
        order.append(digest)
        self._remembered[digest] = token


def _has_gone(key: VerifyingKey, keys: Mapping[str, VerifyingKey]) -> bool:
    now = keys.get(key.kid)
    return (
        now is None
        or now.thumbprint != key.thumbprint
        or now.algorithm != key.algorithm
        or now.retires_at_s < key.retires_at_s
    )
