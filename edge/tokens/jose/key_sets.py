"""JWK Sets of others (RFC 7517 section 5), from bytes to prepared keys."""

from collections.abc import Collection

import msgspec

from edge.tokens.jose.keys import key_set
from edge.tokens.key_sets import FetchedKeys
from edge.tokens.keys import KeyRefusedError
from edge.tokens.strict_json import read_members


def parse_key_set(document: bytes, allowed: Collection[str]) -> FetchedKeys:
    """Prepare the keys of these algorithms; others are left out.

    Raises:
        KeyRefusedError: this is no set to trust, or none of its keys can be used.
    """
    try:
        read_members(document)
        content = msgspec.json.decode(document)
    except ValueError as error:
        message = "this is no JSON object without repeated members"
        raise KeyRefusedError(message) from error
    keys, left_out = key_set(content, allowed=allowed)
    if not keys:
        message = "no key of the set can be used"
        raise KeyRefusedError(message)
    return FetchedKeys(keys, left_out)
