"""The form of a refresh token, and the proof that Edge made it.

A token is `edge_rt_` and, in base64url, 57 bytes: version, id of the secret key, session (the
family), generation, and a MAC over all of these and the session's salt. The salt stays in the
session's row, so neither the secret key nor the database alone can make a token, and nothing that
is stored can be used as one. The prefix lets secret scanners find tokens that leaked.
"""

import base64
import hmac
import struct
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

PREFIX: Final = "edge_rt_"

_VERSION: Final = 1
_SIGNED: Final = struct.Struct(">B4s16sI")
_MAC_BYTES: Final = 32
_TOKEN_BYTES: Final = _SIGNED.size + _MAC_BYTES
_ENCODED_LENGTH: Final = _TOKEN_BYTES * 4 // 3  # 57 bytes leave no padding


class RefreshToken(msgspec.Struct, frozen=True):
    """A token taken apart, not yet proven: `session_id` and `generation` are what it claims."""

    key_id: bytes
    session_id: UUID
    generation: int
    mac: bytes


class RefreshTokenCodec:
    """Makes refresh tokens with one secret key; takes apart and proves those of others too.

    `mac_key` is derived from the secret key for this purpose alone; `key_id` (4 bytes) names it.
    `others` are MAC keys by the ids of secret keys that are accepted beside it.
    """

    def __init__(
        self, *, mac_key: bytes, key_id: bytes, others: Mapping[bytes, bytes] | None = None
    ) -> None:
        self._key_id = key_id
        self._mac_keys = {**(others or {}), key_id: mac_key}

    def make(self, session_id: UUID, generation: int, salt: bytes) -> str:
        """Make the token of a generation; the same arguments always make the same token."""
        signed = _SIGNED.pack(_VERSION, self._key_id, session_id.bytes, generation)
        token = base64.urlsafe_b64encode(signed + self._mac(self._key_id, signed, salt))
        return PREFIX + token.decode("ascii")

    def parse(self, text: str) -> RefreshToken | None:
        """Take a token apart; None for anything no known secret key can have made."""
        encoded = text.removeprefix(PREFIX)
        if len(encoded) != _ENCODED_LENGTH or len(text) == len(encoded):
            return None
        try:
            raw = base64.urlsafe_b64decode(encoded)
        except ValueError:  # binascii.Error is one
            return None
        if base64.urlsafe_b64encode(raw).decode("ascii") != encoded:
            return None  # Python decodes more than one text to the same bytes
        version, key_id, session, generation = _SIGNED.unpack_from(raw)
        if version != _VERSION or key_id not in self._mac_keys:
            return None
        return RefreshToken(key_id, UUID(bytes=session), generation, raw[_SIGNED.size :])

    def proves(self, token: RefreshToken, salt: bytes) -> bool:
        """Say whether the MAC is right, in a time that does not depend on how wrong it is."""
        signed = _SIGNED.pack(_VERSION, token.key_id, token.session_id.bytes, token.generation)
        return hmac.compare_digest(token.mac, self._mac(token.key_id, signed, salt))

    def _mac(self, key_id: bytes, signed: bytes, salt: bytes) -> bytes:
        return hmac.digest(self._mac_keys[key_id], signed + salt, "sha256")
