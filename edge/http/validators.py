"""Conditional requests: does the client have already what we would send (RFC 9110 section 13)."""

from collections.abc import Iterable


def matches(if_none_match: Iterable[str], etag: str) -> bool:
    """Say whether the values of all `If-None-Match` fields name this entity tag, or any.

    The comparison is the weak one, as section 13.1.2 asks for; commas in tags are not ours.
    """
    listed = [tag.strip() for value in if_none_match for tag in value.split(",")]
    return "*" in listed or etag in [tag.removeprefix("W/") for tag in listed]
