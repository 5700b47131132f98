"""JSON that is nested too deep, or has a member twice, is found whatever else it is."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.http.json_shape import is_deeper, repeated_member

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('[]{}\\" a', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text('[]{}\\":, ab', max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def depth_of(value: Any) -> int:  # noqa: ANN401  # any JSON
    """Give the depth as one would count it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(depth_of, inner), default=0) + isinstance(value, (dict, list))


@given(JSON)
def test_depth_is_counted_as_a_parser_would(value: object) -> None:
    """A document is deeper than one less than its depth, and not deeper than its depth."""
    depth = depth_of(value)
    for document in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert not is_deeper(document.encode(), depth)
        assert is_deeper(document.encode(), depth - 1)


@pytest.mark.parametrize(
    ("document", "depth"),
    [
        (b"", 0),
        (b"7", 0),
        (b"{}", 1),
        (b'{"a": []}', 2),
        (b"[[], [], []]", 2),
        (b'"[[[[["', 0),
        (b'["\\"[[[["]', 1),
        (b'["\\\\", [["\\\\\\"[["]]]', 3),
        (b'["\xe2\x82\xac[[", {}]', 2),
        # Not JSON: what a parser meets before it gives up.
        (b"[[[", 3),
        (b"]]][[", 0),
        (b'["[[[', 1),
        (b'{"a":{"a":', 2),
    ],
)
def test_depth_of_what_looks_otherwise(document: bytes, depth: int) -> None:
    """Brackets in strings do not count, and a document that breaks off is as deep as it came."""
    assert not is_deeper(document, depth)
    assert depth == 0 or is_deeper(document, depth - 1)


@given(st.binary(max_size=60) | st.text('[]{}"\\ ,:1', max_size=60).map(str.encode))
def test_what_is_not_deeper_is_decoded_without_deep_recursion(document: bytes) -> None:
    """No bytes make the decoder go deeper than was counted."""
    deepest = next(depth for depth in range(len(document) + 1) if not is_deeper(document, depth))
    try:
        value = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    assert depth_of(value) <= deepest


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (b'{"a": 1, "a": 1}', ("a",)),
        (b'{"a": 1, "b": 2, "a": 3}', ("a",)),
        (b'{"a": 1, "\\u0061": 2}', ("a",)),
        (b'{"": 1, "": 2}', ("",)),
        (b'{"a": {"b": 1, "b": 2}}', ("a", "b")),
        (b'[0, {"a": [{"x/y": 1, "x/y": 2}]}]', ("1", "a", "0", "x/y")),
        (b'{"a": 1e999, "b": ' + b"9" * 5000 + b', "a": 0}', ("a",)),
        (b'{"a": 1, "A": 2, "b": {"a": 3}, "c": [{"a": 4}, {"a": 5}]}', None),
        (b"[1, 1, {}, {}]", None),
        (b'"a"', None),
        (b"0", None),
    ],
)
def test_a_member_twice_is_found_where_it_is(
    document: bytes, place: tuple[str, ...] | None
) -> None:
    """The place is that of the second one, however its name is written."""
    assert repeated_member(document) == place


@given(JSON)
def test_no_member_is_found_twice_that_is_there_once(value: object) -> None:
    """Documents made of real objects repeat nothing."""
    assert repeated_member(json.dumps(value).encode()) is None


@pytest.mark.parametrize("document", [b"", b"{", b"\xff", b'"\xc0\xaf"', b'"\\x"', b"[1] 2"])
def test_what_is_no_json_is_said_to_be_none(document: bytes) -> None:
    """A ValueError, for parts that a decoder of structs may have skipped."""
    with pytest.raises(ValueError, match=r".*"):
        repeated_member(document)
