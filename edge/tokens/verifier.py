"""Verifying access tokens: from bytes to a typed token or a reason. The hot path.

Whatever is cheap to look at is looked at before the signature (RFC 8725 section 3), so that a flood
of bad tokens costs as little as the check that refuses each of them. Tokens that held are
remembered; what is revoked is looked up afterwards, each time (`edge.tokens.revocations`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256 as _sha256
from typing import Any, Final, Protocol

import msgspec

from edge.reasons import Reason
from edge.tokens.claims import ClaimsPolicy, VerifiedToken
from edge.tokens.compact import Header, decode_segment, read_header
from edge.tokens.keys import VerifyingKey
from edge.tokens.strict_json import read_members, take_apart

# Ours have about 700 characters; those of identity providers with hundreds of groups reach this.
MAX_TOKEN_LENGTH: Final = 8192
# Headers differ by key only; that many keys no set of ours has.
_MOST_HEADERS: Final = 256

_read_issuer: Final = msgspec.json.Decoder(str).decode


class TokenReader(Protocol):
    """Reads the claims of one issuer's tokens. `decode` raises `ValueError` for malformed ones."""

    policy: ClaimsPolicy

    def decode(self, payload: bytes) -> Any:  # noqa: ANN401  # each reader has claims of its own
        ...

    def decode_plain(self, payload: bytes) -> Any:  # noqa: ANN401
        """Decode a payload that surely names this issuer and no member twice; None for others."""
        ...

    @property
    def check(self) -> Callable[[Any, float], Reason | None]:
        """Say why the claims do not hold at that time, None where they do."""
        ...

    def accept(self, claims: Any, key_retires_at_s: float) -> VerifiedToken:  # noqa: ANN401
        """Give what claims that hold come to, signed by a key that counts until then.

        Raises `ValueError` where they make no sense.
        """
        ...


class _Issuer:
    """A trusted issuer: how its tokens are read, and its own keys and nobody else's."""

    __slots__ = ("check", "keys", "reader", "types")

    def __init__(self, reader: TokenReader) -> None:
        self.reader = reader
        self.types = reader.policy.types
        self.check = reader.check
        self.keys: Mapping[str, VerifyingKey] = {}


_UNSEEN: Final[tuple[None, None]] = None, None


class Verifier:
    """Verifies the access tokens of several issuers, each by its own keys.

    Remembers up to `most_remembered` tokens that held (about 1.1 kB each, see
    `docs/performance.md`), each for as long as it and its key are good.
    """

    def __init__(self, readers: Iterable[TokenReader], *, most_remembered: int) -> None:
        issuers = [_Issuer(reader) for reader in readers]
        self._issuers = {issuer.reader.policy.issuer: issuer for issuer in issuers}
        # As the claim is written by everybody who escapes nothing needlessly.
        self._by_json = {msgspec.json.encode(name): self._issuers[name] for name in self._issuers}
        # Of tokens that held: the header decoded, and whose it was then.
        self._headers: dict[bytes, tuple[Header, _Issuer]] = {}
        self._remembered: dict[bytes, VerifiedToken] = {}
        self._recall = self._remembered.get
        self._order: deque[bytes] = deque()  # the oldest key of a dict is slow to find
        self._most_remembered = most_remembered

    def replace_keys(self, issuer: str, keys: Iterable[VerifyingKey]) -> None:
        """Trust these keys for the tokens of an issuer; where one has gone, forget all tokens."""
        trusted = self._issuers[issuer]
        before, trusted.keys = trusted.keys, {key.kid: key for key in keys}
        if any(_has_gone(key, trusted.keys) for key in before.values()):
            self._remembered.clear()
            self._order.clear()
            self._headers.clear()

    def claimed(self, token: bytes) -> tuple[str, str] | None:
        """Give the trusted issuer and the `kid` that a token names; nothing of it is proven."""
        try:
            header_segment, payload_segment, _ = token.split(b".", 2)
            issuer = self._issuer_of(decode_segment(payload_segment))
            return (
                (issuer.reader.policy.issuer, read_header(header_segment).kid) if issuer else None
            )
        except (ValueError, RecursionError):
            return None

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
        try:
            return self._verify_unseen(token, digest, now_s)
        except (ValueError, RecursionError):
            return Reason.TOKEN_MALFORMED

    def _verify_unseen(self, token: bytes, digest: bytes, now_s: float) -> VerifiedToken | Reason:
        header_segment, payload_segment, signature_segment = token.split(b".", 2)
        payload = decode_segment(payload_segment)
        header, issuer = self._headers.get(header_segment, _UNSEEN)
        claims = issuer.reader.decode_plain(payload) if issuer else None
        is_plain = claims is not None
        if header is None:
            header = read_header(header_segment)
        if issuer is None or claims is None:
            issuer = self._issuer_of(payload)
            if issuer is None:
                return Reason.ISSUER_UNKNOWN
            claims = issuer.reader.decode(payload)
        key = _key_for(header, issuer, now_s)
        if isinstance(key, Reason):
            return key
        problem = issuer.check(claims, now_s)
        if problem is not None:
            return problem
        signing_input = token[: -1 - len(signature_segment)]
        if not key.verify(signing_input, decode_segment(signature_segment)):
            return Reason.SIGNATURE_INVALID
        if not is_plain:
            read_members(payload)  # refuses repeated members; too slow for what is not proven
        verified = issuer.reader.accept(claims, key.retires_at_s)
        if header_segment not in self._headers:
            self._remember_header(header_segment, header, issuer)
        self._remember(digest, verified)
        return verified

    def _issuer_of(self, payload: bytes) -> _Issuer | None:
        """Find whose token this claims to be."""
        name = take_apart(payload).get("iss")
        if name is None:
            message = "no issuer"
            raise ValueError(message)
        issuer = self._by_json.get(bytes(name))
        return issuer or self._issuers.get(_read_issuer(name))

    def _remember_header(self, segment: bytes, header: Header, issuer: _Issuer) -> None:
        if len(self._headers) < _MOST_HEADERS:
            self._headers[segment] = header, issuer

    def _remember(self, digest: bytes, token: VerifiedToken) -> None:
        """Keep a token that held; where there is no room, the oldest one goes."""
        order = self._order
        if len(order) == self._most_remembered:
            if not order:
                return
            self._remembered.pop(order.popleft(), None)
        order.append(digest)
        self._remembered[digest] = token


def _key_for(header: Header, issuer: _Issuer, now_s: float) -> VerifyingKey | Reason:
    key = issuer.keys.get(header.kid)
    if key is None or now_s >= key.retires_at_s:
        return Reason.KEY_UNKNOWN
    if header.alg != key.algorithm:
        return Reason.ALGORITHM_MISMATCH
    return key if header.typ in issuer.types else Reason.TYPE_MISMATCH


def _has_gone(key: VerifyingKey, keys: Mapping[str, VerifyingKey]) -> bool:
    now = keys.get(key.kid)
    return (
        now is None
        or now.thumbprint != key.thumbprint
        or now.algorithm != key.algorithm
        or now.retires_at_s < key.retires_at_s
    )
