"""What proxies write of a request: `X-Forwarded-*`, and `Forwarded` of RFC 7239.

Both grow at their right end, one claim a proxy. So they are read from the right, where the nearest
proxy wrote, and no further than is asked for: what stands further left, anybody may have sent.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

Fields = Sequence[tuple[bytes, bytes]]  # names and values in the order received

FORWARDED: Final = b"forwarded"
FORWARDED_FOR: Final = b"x-forwarded-for"
FORWARDED_PROTO: Final = b"x-forwarded-proto"
FORWARDED_HOST: Final = b"x-forwarded-host"

# More proxies than that are not a chain but an attempt to make us count.
MOST_HOPS: Final = 32

_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110 section 5.6.2
# RFC 7239 wants quotes around ports and brackets; who makes the field of variables forgets them.
_UNQUOTED: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z:\[\]-]+"
_PAIR: Final = re.compile(
    rf'[ \t]*(?:({_NAME})=(?:({_UNQUOTED})|"((?:[^"\\]|\\.)*)"))?[ \t]*(?:;|\Z)'
)
_ESCAPED: Final = re.compile(r"\\(.)")
_QUOTE: Final = re.compile(r'(?<!\\)(?:\\\\)*"')


class Claim(NamedTuple):
    """What one proxy says of the request it passed on; empty where it says nothing of it."""

    node: str
    scheme: str = ""
    host: str = ""


NOTHING: Final = Claim("")


def x_forwarded(fields: Fields) -> Iterator[Claim]:
    """Give the claims of the `X-Forwarded-*` fields from the right.

    Scheme and host are no lists to most proxies. They are taken from the right too, and so from a
    proxy of ours wherever one writes them.
    """
    scheme, host = _last(fields, FORWARDED_PROTO), _last(fields, FORWARDED_HOST)
    for node in reversed(_joined(fields, FORWARDED_FOR).rsplit(",", MOST_HOPS)):
        yield Claim(node, scheme, host)


def forwarded(fields: Fields) -> Iterator[Claim]:
    """Give the claims of `Forwarded` fields from the right, malformed ones as `NOTHING`."""
    for _, value in reversed(fields):
        yield from map(_read_element, _elements(value.decode("latin-1")))


def _joined(fields: Fields, name: bytes) -> str:
    return b",".join([value for field, value in fields if field == name]).decode("latin-1")


def _last(fields: Fields, name: bytes) -> str:
    return _joined(fields, name).rpartition(",")[2]


def _elements(value: str) -> Iterator[str]:
    """Give the elements of a field from the right; a comma between quotes separates none.

    A quote that somebody left open swallows what is left of it, never what a proxy has added.
    """
    pieces: list[str] = []
    is_quoted = False
    for piece in reversed(value.rsplit(",", MOST_HOPS)):
        pieces.append(piece)
        is_quoted ^= len(_QUOTE.findall(piece)) % 2 == 1
        if not is_quoted:
            yield ",".join(reversed(pieces))
            pieces.clear()
    if pieces:
        yield ",".join(reversed(pieces))


def _read_element(text: str) -> Claim:
    """Read an element of the form of RFC 7239 section 4; one of another form says nothing."""
    pairs: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            return NOTHING
        at = match.end()
        name, plain, quoted = match.groups()
        if name is None:
            continue
        if name.lower() in pairs:  # section 4: not more than once
            return NOTHING
        pairs[name.lower()] = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
    return Claim(pairs.get("for", ""), pairs.get("proto", ""), pairs.get("host", ""))
