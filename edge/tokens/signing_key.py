"""Signing keys as they are stored."""

from typing import Literal

import msgspec

Algorithm = Literal["ES256"]


class SealedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key at rest; the private part is encrypted under the secret key."""

    kid: str
    algorithm: str
    sealed_key: str
