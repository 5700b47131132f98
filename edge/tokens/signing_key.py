"""Signing keys: as they are stored, and opened."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge.tokens.key_schedule import KeyTimes
from edge.tokens.keys import SigningKey, VerifyingKey


class SealedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key at rest; the private part is encrypted under the secret key."""

    kid: str
    algorithm: str
    sealed_key: str


class StoredKey(msgspec.Struct, frozen=True):
    """A sealed key with its times."""

    sealed: SealedKey
    times: KeyTimes


class StoredKeys(msgspec.Struct, frozen=True):
    """All keys there are, as read at that time of the database's clock."""

    keys: Sequence[StoredKey]
    read_at_ms: int


class OpenedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key ready for use; `public_jwk` is None for a secret, which is never published.

    `is_current` says that it is sealed under the current secret key, not the previous one.
    """

    signing: SigningKey
    verifying: VerifyingKey
    public_jwk: dict[str, Any] | None
    is_current: bool = True


class JwkSet(msgspec.Struct, frozen=True):
    """The JWK Set as it is published, and the strong validator of that (RFC 9110 section 8.8.3)."""

    body: bytes
    etag: str
    max_age_s: int
