"""What the head of a request may look like, before anybody acts on it. Pure.

Servers and proxies disagree on what odd requests mean, and so one lets in what another would have
kept out. What can be read in two ways is refused.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from edge.http.arrival import read_host
from edge.reasons import Reason

# Of which some would read the first and some the last (RFC 9112 sections 3.2 and 6.3).
_CODING: Final = b"transfer-encoding"
_ONCE: Final = frozenset({b"host", b"content-length", _CODING, b"origin"})

# Empty segments; backslashes; what is not printable ASCII; dot segments, also before a parameter.
# Encoded: slash, dot, backslash, control characters; letters, digits, - and _, which need no
# encoding (RFC 3986 section 2.3; nor does ~, which did before); what would be encoded still after
# decoding once; a % that encodes nothing.
_AMBIGUOUS: Final = re.compile(
    rb"//|\\|[^\x21-\x7e]"
    rb"|(?:^|/)\.{1,2}(?:[/;]|$)"
    rb"|%(?:2[def]|5[cf]|[01][0-9a-f]|7f|3[0-9]|[46][1-9a-f]|[57][0-9a]|25[0-9a-f]{2}|(?![0-9a-f]{2}))",
    re.IGNORECASE,
)
# Most paths: nothing in them is looked for. It only saves time, and so must not match more.
_PLAIN: Final = re.compile(rb"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
# What servers put where the bytes were no UTF-8.
_NOT_UTF8: Final = "\ufffd"


# Of answers after which the connection ends.
CLOSE: Final = (b"connection", b"close")


class HeadLimits(msgspec.Struct, frozen=True):
    """How many header fields, and how many bytes of path and query."""

    header_fields: int = 64
    url_bytes: int = 8192


def is_http_1(scope: Mapping[str, Any]) -> bool:
    """Say whether a request came by HTTP/1, where `Connection` and `Transfer-Encoding` mean it."""
    return str(scope.get("http_version", "1.1")).startswith("1")


def is_ambiguous(path: bytes, decoded: str) -> bool:
    """Say whether a path, as sent and as decoded once, can be read in more than one way."""
    return not _PLAIN.fullmatch(path) and (
        _AMBIGUOUS.search(path) is not None or _NOT_UTF8 in decoded
    )


def fault_of(
    scope: Mapping[str, Any], fields: Mapping[bytes, bytes], limits: HeadLimits
) -> Reason | None:
    """Say why a request is refused for its head alone; `fields` holds the last of each name."""
    headers = scope["headers"]
    if len(headers) > limits.header_fields:
        return Reason.TOO_MANY_FIELDS
    path = scope.get("raw_path") or scope["path"].encode()
    if len(path) + len(scope.get("query_string", b"")) > limits.url_bytes:
        return Reason.URL_TOO_LONG
    if is_ambiguous(path, scope["path"]):
        return Reason.PATH_AMBIGUOUS
    if len(fields) != len(headers) and _has_repeated(headers):
        return Reason.FIELD_REPEATED
    if b"," in fields.get(_CODING, b""):  # twice in one field, as a proxy may have joined them
        return Reason.FIELD_REPEATED
    host = fields.get(b"host")
    # The checks of some balancers speak HTTP/1.0, which knows no Host; Granian calls it "1".
    is_good = _is_host(host) if host else scope.get("http_version") in ("1", "1.0")
    return None if is_good else Reason.HOST_INVALID


def _has_repeated(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    names = [name for name, _ in headers if name in _ONCE]
    return len(names) != len(set(names))


def _is_host(host: bytes) -> bool:
    return bool(read_host(host.decode("latin-1")))
