"""Signing keys: as they are stored, and opened."""

from typing import Any

import msgspec

from edge.tokens.keys import SigningKey, VerifyingKey


class SealedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key at rest; the private part is encrypted under the secret key."""

    kid: str
    algorithm: str
    sealed_key: str


class OpenedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key ready for use; `public_jwk` is None for a secret, which is never published."""

    signing: SigningKey
    verifying: VerifyingKey
    public_jwk: dict[str, Any] | None
