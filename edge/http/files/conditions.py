"""Conditional and range requests: what a request gets of a file (RFC 9110, 13 and 14). Pure."""

import re
from collections.abc import Mapping
from email.utils import formatdate, mktime_tz, parsedate_tz
from http import HTTPStatus
from typing import Final

import msgspec

from edge.http.validators import matches

# Longer numbers are beyond every file; a server may ignore any range it does not like.
_ONE_RANGE: Final = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


class Version(msgspec.Struct, frozen=True):
    """What tells one state of a file from the next."""

    etag: str
    modified_s: int

    @property
    def last_modified(self) -> str:
        return formatdate(self.modified_s, usegmt=True)


class Selection(msgspec.Struct, frozen=True):
    """The status of the answer, and which bytes of the file come with it."""

    status: HTTPStatus
    part: range = range(0)


def version_of(size: int, mtime_ns: int, now_s: float) -> Version:
    """Give the version of a file as it is now.

    Of size and time only: an inode number says something of the machine, and differs among
    replicas. A time before 1970 or still to come is no date that may be sent (section 8.8.2.1).
    """
    modified_s = max(0, min(mtime_ns // 1_000_000_000, int(now_s)))
    return Version(f'"{mtime_ns:x}-{size:x}"', modified_s)


def select(method: str, fields: Mapping[str, str], size: int, version: Version) -> Selection:
    """Decide what a GET or HEAD gets of a file, in the order of section 13.2.2.

    `fields` are those of the request by lower-case name, the values of a repeated one joined by
    commas.
    """
    if not _may_go_on(fields, version):
        return Selection(HTTPStatus.PRECONDITION_FAILED)
    if _is_known(fields, version):
        return Selection(HTTPStatus.NOT_MODIFIED)
    # A date would do for those who have no tag, and everybody who has a part has one.
    is_same = fields.get("if-range", version.etag) == version.etag
    part = find_part(fields.get("range", ""), size) if method == "GET" and is_same else None
    if part is None:
        return Selection(HTTPStatus.OK, range(size))
    if not part:
        return Selection(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    return Selection(HTTPStatus.PARTIAL_CONTENT, part)


def find_part(value: str, size: int) -> range | None:
    """Give the bytes that a `Range` field asks for: none if it lies beyond the end.

    None stands for the whole file. It is for several ranges, which are a way to make small requests
    costly, for what is no range, and for an empty file, of which there is no part.
    """
    match = _ONE_RANGE.fullmatch(value)
    first, last = match.groups() if match else ("", "")
    if not (first or last) or not size:
        return None
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(size)[int(first) : int(last) + 1 if last else size]


def _may_go_on(fields: Mapping[str, str], version: Version) -> bool:
    if "if-match" in fields:  # the comparison is the strong one, unlike in `matches`
        listed = [tag.strip() for tag in fields["if-match"].split(",")]
        return "*" in listed or version.etag in listed
    date = parse_date(fields.get("if-unmodified-since", ""))
    return date is None or version.modified_s <= date


def _is_known(fields: Mapping[str, str], version: Version) -> bool:
    if "if-none-match" in fields:
        return matches([fields["if-none-match"]], version.etag)
    date = parse_date(fields.get("if-modified-since", ""))
    return date is not None and version.modified_s <= date


def parse_date(text: str) -> int | None:
    """Give the seconds of an HTTP date in any of its three forms; None for anything else."""
    if text.count(",") > 1:  # two fields, or a list
        return None
    parsed = parsedate_tz(text)
    try:
        return mktime_tz(parsed) if parsed else None
    except (ValueError, OverflowError):  # a month or a year there is not
        return None
