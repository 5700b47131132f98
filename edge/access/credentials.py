"""The `Authorization` field, taken apart (RFC 9110 section 11.4, RFC 6750, RFC 7617)."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from edge.access.decision import Malformed
from edge.reasons import Reason

# credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]; both of our schemes take a token68.
_CREDENTIALS: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(.*))?", re.DOTALL)
_TOKEN68: Final = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
_SPACE: Final = b" \t"


class BearerToken(msgspec.Struct, frozen=True):
    """A token, not yet verified."""

    token: bytes

    def __repr__(self) -> str:
        return "BearerToken(********)"


class BasicCredentials(msgspec.Struct, frozen=True):
    """A username and a password, not yet checked."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "BasicCredentials(********)"


Credentials = BearerToken | BasicCredentials


def parse_authorization(values: Sequence[bytes]) -> Credentials | Malformed | None:
    """Take apart the values of all `Authorization` fields; None where there is none.

    A well-formed scheme that Edge does not speak is `Malformed` with `scheme_unsupported`.
    """
    if not values:
        return None
    if len(values) > 1:
        return Malformed(Reason.AUTHORIZATION_REPEATED)
    match = _CREDENTIALS.fullmatch(values[0].strip(_SPACE))
    if match is None:
        return Malformed(Reason.AUTHORIZATION_MALFORMED)
    scheme, rest = match[1].lower(), match[2] or b""
    if scheme not in (b"bearer", b"basic"):
        return Malformed(Reason.SCHEME_UNSUPPORTED)
    if not _TOKEN68.fullmatch(rest):
        return Malformed(Reason.AUTHORIZATION_MALFORMED)
    return BearerToken(rest) if scheme == b"bearer" else _parse_basic(rest)


def _parse_basic(encoded: bytes) -> BasicCredentials | Malformed:
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return Malformed(Reason.AUTHORIZATION_MALFORMED)
    username, colon, password = text.partition(":")
    if not colon or any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):  # noqa: PLR2004  # controls
        return Malformed(Reason.AUTHORIZATION_MALFORMED)
    return BasicCredentials(username, password)
