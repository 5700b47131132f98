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
    """Take an object apart into its members, each still encoded; none of them is repeated.

    Finding that out may take ten times as long as all the rest, and a token long: what strangers
    send is looked at by this only once it is proven.

    Raises:
        ValueError: this is no JSON object in UTF-8, is nested too deep, or repeats a member.
    """
    try:
        members = _read_members(document)
        if not _holds_just(members, document):
            json.loads(document.decode("utf-8"), object_pairs_hook=_refuse_duplicates)
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None
    return members


def _holds_just(members: dict[str, msgspec.Raw], document: bytes) -> bool:
    """Say whether the document is these members and nothing else, so that none was dropped.

    Each takes two quotes, a colon and a comma beside its name and value, and there are two braces
    and one comma fewer. White space, escaped names and text beyond ASCII make a document longer
    than that, and objects inside are not looked into: then the slow way finds out.
    """
    if document.find(b"{", 1) >= 0 or not document.isascii():
        return False
    encoded = len("".join(members)) + len(b"".join(members.values()))
    return len(document) == encoded + 4 * len(members) + 1


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DuplicateMemberError
    return members
