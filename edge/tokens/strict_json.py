"""JSON objects whose members are all different, told fast.

msgspec silently takes the last of two members with the same name, and two readers of a token that
take different ones see different tokens (RFC 8725 section 2.6); so both are refused.
"""

import json
from typing import Final

import msgspec

_read_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class DuplicateMemberError(ValueError):
    """An object, at whatever depth, has two members with the same name."""


def read_members(document: bytes) -> dict[str, msgspec.Raw]:
    """Take an object apart into its members, each still encoded.

    Raises:
        ValueError: this is no JSON object in UTF-8, is nested too deep, or repeats a member.
    """
    try:
        members = _read_members(document)
        if not (_is_plain(document) and _accounts_for(members, document)):
            json.loads(document.decode("utf-8"), object_pairs_hook=_refuse_duplicates)
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None
    return members


def _is_plain(document: bytes) -> bool:
    """Say whether there is one object and nothing in it that is decoded to something shorter.

    Escapes are decoded to something shorter; text beyond ASCII is left for `json` to check.
    """
    return document.isascii() and document.count(b"{") == 1 and b"\\" not in document


def _accounts_for(members: dict[str, msgspec.Raw], document: bytes) -> bool:
    """Say whether the members make up the whole document, so that none was dropped.

    Each takes two quotes, a colon and a comma beside its name and value, and there are two braces
    and one comma fewer. White space makes the document longer too, and the slow way finds out.
    """
    encoded = sum(map(len, members)) + sum(map(len, members.values()))
    return 1 + 4 * len(members) + encoded == len(document)


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DuplicateMemberError
    return members
