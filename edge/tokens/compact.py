"""The compact serialisation of a JWS (RFC 7515 section 7.1), taken apart strictly."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

# Ours have about 120 characters, those of identity providers with a certificate chain 4,000.
_MAX_HEADER_LENGTH: Final = 4096
# From the alphabet of URLs to the other; what JSON or base64 would understand besides is spoiled.
_FROM_URL_ALPHABET: Final = bytes.maketrans(b'-_+/="\\', b"+/*****")
# By the length modulo 4: what is missing at the end, and what may stand there. Of the last
# character, only some bits count: with the others set it would be another spelling.
_ENDINGS: Final = (
    (b'"', None),
    (b"", frozenset[int]()),
    (b'=="', frozenset(b"AQgw")),
    (b'="', frozenset(b"AEIMQUYcgkosw048")),
)


class Header(msgspec.Struct, frozen=True):
    """What of a header is used: `jku`, `x5u`, `jwk` and `x5c` are not (RFC 8725 section 3.10)."""

    alg: str
    kid: str
    typ: str


_Url = Annotated[str, Meta(pattern="^https?://")]


class _Object(msgspec.Struct):
    """Any JSON object; nothing in it is kept."""


class _RawHeader(msgspec.Struct):
    alg: str
    kid: str
    typ: str = ""
    # Ignored, yet of the types of RFC 7515 section 4.1: what is malformed, others refuse.
    cty: str = ""
    jku: _Url = ""
    jwk: _Object | msgspec.UnsetType = msgspec.UNSET
    x5u: _Url = ""
    x5c: list[str] = []
    x5t: str = ""
    x5t_s256: str = msgspec.field(default="", name="x5t#S256")
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    # RFC 7797 section 3: without this extension, the payload is encoded.
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


# msgspec reads base64 in strings twice as fast as `binascii` does.
_decode_base64: Final = msgspec.json.Decoder(bytes).decode
_decode_header: Final = msgspec.json.Decoder(_RawHeader).decode


def read_header(segment: bytes) -> Header:
    """Decode a header; `typ` is given as RFC 7515 section 4.1.9 compares it.

    Nothing is proven yet, so nobody looks for repeated members: the last ones are taken.

    Raises:
        ValueError: it is malformed, has no `kid`, or asks for what Edge does not understand.
    """
    if len(segment) > _MAX_HEADER_LENGTH:
        message = "the header is too long"
        raise ValueError(message)
    raw = _decode_header(decode_segment(segment))
    if raw.crit is not msgspec.UNSET or raw.b64 is not msgspec.UNSET:
        message = "a critical extension is not understood"
        raise ValueError(message)
    return Header(raw.alg, raw.kid, raw.typ.lower().removeprefix("application/"))


def decode_segment(segment: bytes) -> bytes:
    """Decode base64url without padding; of the spellings of some bytes, one is right.

    Raises:
        ValueError: this is not base64url (RFC 7515 section 2).
    """
    ending, last = _ENDINGS[len(segment) % 4]
    if last is not None and segment[-1] not in last:
        message = "a length that base64 does not have, or bits behind the end"
        raise ValueError(message)
    if not segment.isalnum():  # most payloads have letters and digits only
        segment = segment.translate(_FROM_URL_ALPHABET)
    return _decode_base64(b'"' + segment + ending)
