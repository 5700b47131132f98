"""Every password and token the tests used, and the search for them in texts they must not be in."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

# Anything shorter turns up in innocent text by chance.
SHORTEST: Final = 8
_SHOWN: Final = 4

_remembered: Final[set[str]] = set()

Needles = Mapping[str, Sequence[tuple[str, str]]]


class Leak(NamedTuple):
    """A secret in a text: enough to find it, without repeating it."""

    beginning: str
    line: int

    def __str__(self) -> str:
        return f"line {self.line} holds the secret that begins with {self.beginning!r}"


def remember(*values: str) -> None:
    """Note passwords and tokens, so that the last test can look for them in all logs.

    Raises:
        ValueError: a value is too short to be told from innocent text.
    """
    for value in values:
        if len(value) < SHORTEST:
            message = f"a secret of {len(value)} characters would be found where it is not"
            raise ValueError(message)
        _remembered.add(value)


def remembered() -> frozenset[str]:
    return frozenset(_remembered)


def needles_of(secrets: Iterable[str]) -> Needles:
    """Give what is to be looked for: every spelling of each secret, by how it begins."""
    needles: dict[str, list[tuple[str, str]]] = {}
    # One character over and over is found where there is no secret: in a file with a hole, say.
    for secret in (one for one in secrets if len(set(one)) > 1):
        for needle in _spellings(secret):
            needles.setdefault(needle[:SHORTEST], []).append((needle, secret))
    return needles


def find_leaks(text: str, needles: Needles) -> list[Leak]:
    """Find the first place of each secret in the text, however it is written there."""
    found: dict[str, int] = {}
    # Thousands of needles in megabytes of hay: one pass, with a look-up at each place.
    for place in range(len(text) - SHORTEST + 1):
        for needle, secret in needles.get(text[place : place + SHORTEST], ()):
            if secret not in found and text.startswith(needle, place):
                found[secret] = place
    return [
        Leak(secret[:_SHOWN], text.count("\n", 0, place) + 1) for secret, place in found.items()
    ]


def _spellings(secret: str) -> Iterator[str]:
    """Every way that a log may spell a secret, each at least as long as the shortest secret."""
    spellings = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        *_in_base64(secret.encode("utf-8", "surrogatepass")),
    }
    return (spelling for spelling in spellings if len(spelling) >= SHORTEST)


def _in_base64(secret: bytes) -> Iterator[str]:
    """Give what base64 makes of these bytes wherever they stand, as within Basic credentials."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret).decode("ascii")
        # The characters at the ends depend on the neighbours too.
        first = -(-before * 8 // 6)
        last = (before + len(secret)) * 8 // 6
        yield encoded[first:last]
        yield encoded[first:last].translate(str.maketrans("+/", "-_"))
