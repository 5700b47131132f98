"""Keys made ready: what an adapter prepared once, the hot path only calls."""

from collections.abc import Callable
from math import inf
from typing import Final, Literal, get_args

import msgspec

Algorithm = Literal[
    "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "EdDSA", "HS256"
]  # RFC 7518 section 3.1, RFC 8037 section 3.1

ALGORITHMS: Final[frozenset[str]] = frozenset(get_args(Algorithm))


class VerifyingKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with the one algorithm it may be used with.

    `verify(signing_input, signature)` says whether the signature is right; `thumbprint` (RFC 7638)
    tells keys apart that share a `kid`. From `retires_at_s` on, the key counts for nothing.
    """

    kid: str
    algorithm: Algorithm
    thumbprint: str
    verify: Callable[[bytes, bytes], bool]
    retires_at_s: float = inf


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A private key; `sign(signing_input)` gives the signature as JWS has it."""

    kid: str
    algorithm: Algorithm
    sign: Callable[[bytes], bytes]

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


class KeyRefusedError(ValueError):
    """A key is malformed, weak, or not meant for what it is wanted for; the message says which."""
