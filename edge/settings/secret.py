"""A value that must not be shown, and the judgement of the one that everything hangs on."""

import base64
import binascii
import re
from itertools import pairwise
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

SECRET_KEY_BYTES: Final = 32

_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")

_PUBLISHED: Final = (
    # RFC 7515 appendix A.1.1
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    # RFC 7520 sections 3.5 and 3.6
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    "qC57l_uxcm7Nm3K-ct4GFjx8tM1U8CZ0NLBvdQstiS8",
    # The tutorials that most people copy from: FastAPI's and Flask's
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
)


class Secret:
    """A string that shows itself only when asked to: `reveal()`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('********')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def decode_secret_key(text: str) -> bytes:
    """Decode a secret key: 32 or more bytes as hexadecimal, base64 or base64url.

    Raises:
        ValueError: the text is none of these, or the key could be guessed; the message says why
            and never repeats the text.
    """
    text = text.strip()
    key = _decode(text)
    problem = _weakness(text, key)
    if problem is not None:
        raise ValueError(problem)
    return key


def derive_key(secret_key: bytes, purpose: str) -> bytes:
    """Derive the 32-byte key for one purpose, useless for any other (RFC 5869 section 2.3)."""
    info = f"edge {purpose} v1".encode("ascii")
    return HKDFExpand(algorithm=SHA256(), length=32, info=info).derive(secret_key)


def _decode(text: str) -> bytes:
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if not _BASE64.fullmatch(text):
        message = "is neither hexadecimal nor base64"
        raise ValueError(message)
    unpadded = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.urlsafe_b64decode(unpadded + "=" * (-len(unpadded) % 4))
    except binascii.Error:
        message = "is neither hexadecimal nor base64"
        raise ValueError(message) from None


def _weakness(text: str, key: bytes) -> str | None:
    if len(key) < SECRET_KEY_BYTES:
        return f"decodes to {len(key)} bytes; {SECRET_KEY_BYTES} are needed"
    if key in map(_decode, _PUBLISHED):
        return "is an example that was published"
    if _repeats(key):
        return "repeats itself; it is not random"
    if len({(after - before) % 256 for before, after in pairwise(key)}) == 1:
        return "counts up or down; it is not random"
    if _is_text(text, key):
        return "is made of words, not of random bytes"
    return None


def _repeats(key: bytes) -> bool:
    """Say whether a key is less than 32 bytes written twice or more often, cut off anywhere."""
    periods = range(1, min(SECRET_KEY_BYTES - 1, len(key) // 2) + 1)
    return any(key.startswith(key[period:]) for period in periods)


def _is_text(text: str, key: bytes) -> bool:
    """Say whether a person wrote this, in the clear or before encoding it.

    Of 10^9 random keys, not one is all printable, and not one has all its base64 in one case.
    """
    is_printable = all(0x20 <= byte < 0x7F for byte in key)  # noqa: PLR2004  # in ASCII
    return is_printable or (not _HEX.fullmatch(text) and (text.islower() or text.isupper()))
