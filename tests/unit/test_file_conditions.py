"""Conditional and range requests on files."""

import re
from email.utils import formatdate
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.http.files.conditions import Selection, find_part, parse_date, select, version_of

MODIFIED_S = 784_111_777  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110
NANOSECONDS = 123_456_789
MTIME_NS = MODIFIED_S * 10**9 + NANOSECONDS
VERSION = version_of(10, MTIME_NS, MODIFIED_S + 60)

SAME = VERSION.etag
OTHER = '"other"'
THEN = formatdate(MODIFIED_S, usegmt=True)
BEFORE = formatdate(MODIFIED_S - 1, usegmt=True)
AFTER = formatdate(MODIFIED_S + 1, usegmt=True)

ALL = Selection(HTTPStatus.OK, range(10))
PART = Selection(HTTPStatus.PARTIAL_CONTENT, range(2, 5))
KNOWN = Selection(HTTPStatus.NOT_MODIFIED)
FAILED = Selection(HTTPStatus.PRECONDITION_FAILED)
BEYOND = Selection(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)

RANGE = {"range": "bytes=2-4"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ALL),
        (RANGE, PART),
        ({"range": "bytes=10-"}, BEYOND),
        ({"range": "nonsense"}, ALL),
        # If-None-Match, with the weak comparison
        ({"if-none-match": SAME}, KNOWN),
        ({"if-none-match": f"W/{SAME}"}, KNOWN),
        ({"if-none-match": f"{OTHER}, {SAME}"}, KNOWN),
        ({"if-none-match": "*"}, KNOWN),
        ({"if-none-match": OTHER}, ALL),
        ({"if-none-match": ""}, ALL),
        ({"if-none-match": SAME.strip('"')}, ALL),
        # If-Modified-Since, which If-None-Match overrides
        ({"if-modified-since": THEN}, KNOWN),
        ({"if-modified-since": AFTER}, KNOWN),
        ({"if-modified-since": BEFORE}, ALL),
        ({"if-modified-since": "yesterday"}, ALL),
        ({"if-modified-since": f"{THEN}, {THEN}"}, ALL),
        ({"if-modified-since": THEN, "if-none-match": OTHER}, ALL),
        ({"if-modified-since": BEFORE, "if-none-match": SAME}, KNOWN),
        # If-Match, with the strong comparison
        ({"if-match": SAME}, ALL),
        ({"if-match": f"{OTHER}, {SAME}"}, ALL),
        ({"if-match": "*"}, ALL),
        ({"if-match": f"W/{SAME}"}, FAILED),
        ({"if-match": OTHER}, FAILED),
        ({"if-match": ""}, FAILED),
        # If-Unmodified-Since, which If-Match overrides
        ({"if-unmodified-since": THEN}, ALL),
        ({"if-unmodified-since": AFTER}, ALL),
        ({"if-unmodified-since": BEFORE}, FAILED),
        ({"if-unmodified-since": "tomorrow"}, ALL),
        ({"if-unmodified-since": BEFORE, "if-match": SAME}, ALL),
        # in their order
        ({"if-match": OTHER, "if-none-match": SAME}, FAILED),
        ({"if-match": SAME, "if-none-match": SAME}, KNOWN),
        ({"if-none-match": SAME, **RANGE}, KNOWN),
        ({"if-match": OTHER, **RANGE}, FAILED),
        # If-Range, with the strong comparison; a date is of no use to who has a tag
        ({"if-range": SAME, **RANGE}, PART),
        ({"if-range": SAME, "range": "bytes=10-"}, BEYOND),
        ({"if-range": OTHER, "range": "bytes=10-"}, ALL),
        ({"if-range": f"W/{SAME}", **RANGE}, ALL),
        ({"if-range": OTHER, **RANGE}, ALL),
        ({"if-range": f"{SAME}, {SAME}", **RANGE}, ALL),
        ({"if-range": THEN, **RANGE}, ALL),
        ({"if-range": AFTER, **RANGE}, ALL),
        ({"if-range": BEFORE, **RANGE}, ALL),
        ({"if-range": "", **RANGE}, ALL),
        ({"if-range": SAME}, ALL),
    ],
)
def test_a_get_gets_what_its_conditions_allow(fields: dict[str, str], expected: Selection) -> None:
    """RFC 9110 section 13.2.2, case by case."""
    assert select("GET", fields, 10, VERSION) == expected


def test_head_gets_no_part() -> None:
    """Ranges are of GET only (RFC 9110 section 14.2), the other conditions of both."""
    assert select("HEAD", RANGE, 10, VERSION) == ALL
    assert select("HEAD", {"range": "bytes=99-"}, 10, VERSION) == ALL
    assert select("HEAD", {"if-none-match": SAME}, 10, VERSION) == KNOWN


@pytest.mark.parametrize(
    ("size", "mtime_ns"), [(11, MTIME_NS), (10, MTIME_NS + 1), (10, MTIME_NS - 10**9), (0, 0)]
)
def test_another_size_or_time_is_another_version(size: int, mtime_ns: int) -> None:
    """The tag differs with either, be it by a nanosecond."""
    assert version_of(size, mtime_ns, MODIFIED_S + 60).etag != SAME


@given(st.integers(-(2**80), 2**80), st.integers(0, 2**63), st.floats(0, 4e9))
def test_every_time_makes_a_version(mtime_ns: int, size: int, now_s: float) -> None:
    """Times before 1970, or that no calendar has, give a date between 1970 and now."""
    version = version_of(size, mtime_ns, now_s)
    assert 0 <= version.modified_s <= now_s
    assert parse_date(version.last_modified) == version.modified_s


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_a_date_has_three_forms(text: str) -> None:
    """Those of RFC 9110 section 5.6.7."""
    assert parse_date(text) == MODIFIED_S


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,9} (Jan|Feb|Dec) [0-9]{1,9} [0-9:]{1,9}"))
def test_no_text_makes_the_date_fail(text: str) -> None:
    """It is a date or it is none."""
    assert isinstance(parse_date(text), int | None)


NOTHING = range(0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=0-9", range(10)),
        ("bytes=2-4", range(2, 5)),
        ("bytes=2-", range(2, 10)),
        ("bytes=2-99", range(2, 10)),
        ("bytes=9-999999999999999999", range(9, 10)),
        ("bytes=0009-0009", range(9, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-10", range(10)),
        ("bytes=-99", range(10)),
        ("Bytes=2-4", range(2, 5)),
        ("bytes= 2-4 ", range(2, 5)),
        ("bytes=10-", NOTHING),
        ("bytes=10-20", NOTHING),
        ("bytes=999999999999999999-", NOTHING),
        ("bytes=-0", NOTHING),
        ("bytes=4-2", None),
        ("bytes=10-2", None),
        ("bytes=0-1,3-4", None),
        ("bytes=0-1, bytes=3-4", None),
        ("bytes=" + "0-," * 1000 + "0-", None),
        ("bytes=0-4,", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes", None),
        ("bytes=a-b", None),
        ("bytes=0x1-0x2", None),
        ("bytes=+1-2", None),
        ("bytes=1 -2", None),
        ("bytes=--1", None),
        ("bytes=1-2-3", None),
        ("bytes=1.5-2", None),
        ("bytes=\u0661-\u0662", None),
        ("bytes=0-" + "9" * 5000, None),
        ("bytes=" + "9" * 5000 + "-", None),
        ("bytes=-" + "9" * 5000, None),
        ("items=0-4", None),
        ("", None),
    ],
)
def test_one_range_is_understood_and_the_rest_is_as_if_it_were_not_there(
    value: str, expected: range | None
) -> None:
    """Of ten bytes: the part that is asked for, or that there is none, or all of it."""
    assert find_part(value, 10) == expected


@pytest.mark.parametrize("value", ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=5-"])
def test_an_empty_file_has_no_parts(value: str) -> None:
    """Who asks for the first bytes of an empty file gets all there is."""
    assert find_part(value, 0) is None


_NUMBERS = st.integers(0, 40).map(str) | st.just("")


@given(_NUMBERS, _NUMBERS, st.integers(0, 30))
def test_a_part_lies_in_the_file_and_is_what_slicing_gives(
    first: str, last: str, size: int
) -> None:
    """A part has no byte beyond the end, and those that Python would take."""
    part = find_part(f"bytes={first}-{last}", size)
    if part is None:
        return
    stop = int(last) + 1 if last else None
    content = list(range(size))
    start = int(first) if first else max(0, size - int(last))
    assert list(part) == content[start : stop if first else None]


@given(st.text() | st.from_regex(re.compile(r"bytes=[0-9, -]*\Z")), st.integers(0, 2**63 - 1))
def test_no_value_makes_it_fail(value: str, size: int) -> None:
    """Whatever the field holds, there is an answer."""
    assert isinstance(find_part(value, size), range | None)
