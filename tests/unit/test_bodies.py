"""Bodies: JSON, strictly, and every mistake in them by its place."""

import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from edge.http.bodies import (
    FORM,
    JSON,
    BodyError,
    BodyLimits,
    check_fields,
    check_limits,
    decode_json,
)
from edge.http.problems import FieldError
from edge.reasons import Reason


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of an order."""

    name: Annotated[str, Meta(min_length=1, max_length=10)]
    count: int = 1


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body of every kind of field."""

    id: int
    name: Annotated[str, Meta(min_length=3)]
    items: list[Item] = []
    notes: dict[str, Item] = {}
    numbers: dict[int, str] = {}
    weight: float = 0.0
    first: Item | None = None


class Odd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"a": "a/b", "b": "c~d"}):
    """Fields whose names a JSON pointer has to escape."""

    a: int = 0
    b: list[int] = []


class Open(msgspec.Struct, frozen=True):
    """A body that does not mind more fields."""

    id: int


class Tagged(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="tagged"):
    """A body that says in `type` what it is."""

    id: int


def errors_of(body: bytes, type_: Any = Order) -> dict[str, str]:  # noqa: ANN401  # a type
    with pytest.raises(BodyError) as error:
        decode_json(body, type_)
    assert error.value.reason is Reason.VALIDATION_FAILED
    assert all(isinstance(field, FieldError) for field in error.value.errors)
    found = {field.pointer: field.detail for field in error.value.errors}
    assert len(found) == len(error.value.errors)
    return found


def reason_of(body: bytes, type_: Any = Order) -> Reason:  # noqa: ANN401  # a type
    with pytest.raises(BodyError) as error:
        decode_json(body, type_)
    return error.value.reason


def test_a_good_body_becomes_its_struct() -> None:
    """Every field arrives in its type."""
    body = b"""{"id": 7, "name": "abc", "items": [{"name": "x"}], "notes": {"k": {"name": "y"}},
        "numbers": {"1": "one"}, "weight": 2.5, "first": null}"""
    assert decode_json(body, Order) == Order(
        id=7,
        name="abc",
        items=[Item("x")],
        notes={"k": Item("y")},
        numbers={1: "one"},
        weight=2.5,
    )


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b"{}", {"/id": "is required", "/name": "is required"}),
        (
            b'{"id": "x", "name": 7, "items": {}}',
            {
                "/id": "Expected `int`, got `str`",
                "/name": "Expected `str`, got `int`",
                "/items": "Expected `array`, got `object`",
            },
        ),
        (
            b'{"id": 1, "name": "ab", "weight": "heavy"}',
            {
                "/name": "Expected `str` of length >= 3",
                "/weight": "Expected `float`, got `str`",
            },
        ),
        (
            b'{"id": 1, "name": "abc", "items": [{"name": "x"}, {"name": 2}]}',
            {"/items/1/name": "Expected `str`, got `int`"},
        ),
        (
            b'{"id": 1, "name": "abc", "items": [{"name": "x"}, {}]}',
            {"/items/1": "Object missing required field `name`"},
        ),
        (
            b'{"id": 1, "name": "abc", "items": [{"name": ""}]}',
            {"/items/0/name": "Expected `str` of length >= 1"},
        ),
        (
            b'{"id": 1, "name": "abc", "items": [{"name": "x", "evil": 1}]}',
            {"/items/0": "Object contains unknown field `evil`"},
        ),
        (
            b'{"id": 1, "name": "abc", "first": {"name": "x", "count": 1.5}}',
            {"/first/count": "Expected `int`, got `float`"},
        ),
        (
            b'{"id": 1, "name": "abc", "evil": 1, "worse": 2}',
            {"/evil": "is unknown", "/worse": "is unknown"},
        ),
        (
            b'{"id": "x", "evil": 1}',
            {"/id": "Expected `int`, got `str`", "/name": "is required", "/evil": "is unknown"},
        ),
        (b'{"id": 1, "name": "abc", "a/b~c": 1}', {"/a~1b~0c": "is unknown"}),
        (b'{"id": 1, "name": "abc", "": 1}', {"/": "is unknown"}),
        (b"[]", {"": "Expected `object`, got `array`"}),
        (b'"text"', {"": "Expected `object`, got `str`"}),
        (b"null", {"": "Expected `object`, got `null`"}),
        (b"7", {"": "Expected `object`, got `int`"}),
    ],
)
def test_every_mistake_is_named_by_its_place(body: bytes, errors: dict[str, str]) -> None:
    """All fields at fault are listed at once, each by its JSON pointer (RFC 6901)."""
    assert errors_of(body) == errors


def test_pointers_escape_what_they_have_to() -> None:
    """`/` and `~` in the name of a field are escaped."""
    assert errors_of(b'{"a/b": "x", "c~d": [1, "y"]}', Odd) == {
        "/a~1b": "Expected `int`, got `str`",
        "/c~0d/1": "Expected `int`, got `str`",
    }


def test_only_what_is_wrong_is_named() -> None:
    """A good mapping with number keys is not blamed beside a bad field."""
    assert errors_of(b'{"id": "x", "name": "abc", "numbers": {"1": "one"}}') == {
        "/id": "Expected `int`, got `str`"
    }


def test_the_tag_of_a_struct_is_not_an_unknown_field() -> None:
    """A field that says what the body is is not blamed beside a bad field."""
    assert errors_of(b'{"type": "tagged", "id": "x"}', Tagged) == {
        "/id": "Expected `int`, got `str`"
    }


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": 1, "name": "abc", "notes": {"k": {"name": 7}}}',
        b'{"id": 1, "name": "abc", "notes": {"a/b": {"name": ""}}}',
        b'{"id": 1, "name": "abc", "notes": {"k": {"name": "x", "count": "y"}}}',
        b'{"id": 1, "name": "abc", "numbers": {"x": "y"}}',
        b'{"id": 1, "name": "abc", "numbers": {"1": 2}}',
    ],
)
def test_a_pointer_into_a_mapping_points_to_something(body: bytes) -> None:
    """A mistake inside a mapping is named by a place that is there, however deep."""
    document = msgspec.json.decode(body)
    for pointer, detail in errors_of(body).items():
        assert points_somewhere(pointer, document), pointer
        assert "`$" not in detail


def points_somewhere(pointer: str, document: Any) -> bool:  # noqa: ANN401  # any JSON
    """Follow a JSON pointer (RFC 6901)."""
    for escaped in pointer.split("/")[1:]:
        step = escaped.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(step) if isinstance(document, list) else step]
        except (LookupError, ValueError, TypeError):
            return False
    return True


def test_a_list_of_structs_is_named_from_its_top() -> None:
    """A body that is a list has pointers that begin with a number."""
    body = b'[{"name": "x"}, {"name": 7}]'
    assert errors_of(body, list[Item]) == {"/1/name": "Expected `str`, got `int`"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "1", "name": "abc"}',
        b'{"id": true, "name": "abc"}',
        b'{"id": 1.5, "name": "abc"}',
        b'{"id": null, "name": "abc"}',
        b'{"id": [1], "name": "abc"}',
    ],
)
def test_nothing_is_turned_into_a_number(body: bytes) -> None:
    """A string, a boolean, a fraction or null is no integer."""
    assert list(errors_of(body)) == ["/id"]


@pytest.mark.parametrize(
    ("body", "type_", "pointer"),
    [
        (b'{"id": 1, "name": "abc", "id": 1}', Order, "/id"),
        (
            b'{"id": 1, "name": "abc", "notes": {"a/b": {"name": "x", "name": "y"}}}',
            Order,
            "/notes/a~1b/name",
        ),
        (b'{"id": 1, "more": 2, "more": 3}', Open, "/more"),
        (b'{"id": 1, "more": {"~": 2, "~": 3}}', Open, "/more/~0"),
        (b'[{"name": "x"}, {"name": "y", "name": "z"}]', list[Item], "/1/name"),
        (b'{"a": [{"b": 1, "b": 2}]}', Any, "/a/0/b"),
    ],
)
def test_a_member_twice_is_refused(body: bytes, type_: Any, pointer: str) -> None:  # noqa: ANN401  # a type
    """Two readers that take different ones would see different bodies, so none is taken."""
    assert errors_of(body, type_) == {pointer: "is repeated"}


def test_not_more_mistakes_are_listed_than_anybody_reads() -> None:
    """A body of nothing but mistakes gets a hundred of them back."""
    body = json.dumps({f"wrong{number}": 1 for number in range(5_000)}).encode()
    assert len(errors_of(body)) == 100


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\\x", b"\\ud8"])
def test_a_field_that_is_not_read_is_json_too(text: bytes) -> None:
    """What a struct skips is not let through broken."""
    assert reason_of(b'{"id": 1, "more": "' + text + b'"}', Open) is Reason.JSON_INVALID


def test_unknown_fields_are_let_through_where_the_struct_allows_them() -> None:
    """Only a struct that forbids them refuses fields it does not know."""
    assert decode_json(b'{"id": 1, "more": 2}', Open) == Open(1)
    assert errors_of(b'{"id": "x", "more": 2}', Open) == {"/id": "Expected `int`, got `str`"}


@pytest.mark.parametrize(
    "type_", [Order, Open, Any, list[Item]], ids=["closed", "open", "any", "list"]
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"id": 1',
        b'{"id": 1,}',
        b'{"id": 1} x',
        b"{'id': 1}",
        b"{id: 1}",
        b'{"id": NaN}',
        b'{"id": Infinity}',
        b'{"id": -Infinity}',
        b"NaN",
        b'{"id": 01}',
        b'{"id": +1}',
        b'{"id": 0x1}',
        b'{"name": "a\nb"}',
        b'{"name": "\\x41"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\udc00\\ud800"}',
        b'{"name": "\xff"}',
        b'{"name": "\xc0\xaf"}',
        b'{"name": "\xed\xa0\x80"}',
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b"\x00",
    ],
)
def test_what_is_no_json_is_said_to_be_none(body: bytes, type_: Any) -> None:  # noqa: ANN401  # a type
    """Broken syntax, NaN, invalid UTF-8, a mark of byte order, lone surrogates: not JSON."""
    assert reason_of(body, type_) is Reason.JSON_INVALID


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": 1e400, "name": "abc"}',
        b'{"id": -1e400, "name": "abc"}',
        b'{"id": ' + b"9" * 5000 + b', "name": "abc"}',
        b'{"name": 1e400}',
        b'{"evil": 1e400}',
        b"1e400",
        b"[1e400]",
    ],
)
@pytest.mark.parametrize(
    "type_", [Order, Open, Any, list[Item]], ids=["closed", "open", "any", "list"]
)
def test_a_number_out_of_range_is_refused(body: bytes, type_: Any) -> None:  # noqa: ANN401  # a type
    """A number that no float or integer of ours can hold is the client's mistake."""
    assert reason_of(body, type_) in (Reason.JSON_INVALID, Reason.VALIDATION_FAILED)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000,
        b'{"id": 1, "evil": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"id": "x", "evil": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"items": ' + b"[" * 10_000,
        b'{"items": [{"name": ' + b'{"name": ' * 10_000,
        b"[" * 1_000_000,
    ],
    ids=lambda body: f"{len(body)} bytes of {body[:12]!r}",
)
def test_deep_nesting_is_refused(body: bytes) -> None:
    """JSON nested 10,000 deep, known field or not, is refused and does not exhaust the stack."""
    for type_ in (Order, Open, Any):
        assert reason_of(body, type_) in (Reason.JSON_TOO_DEEP, Reason.VALIDATION_FAILED)
    assert reason_of(body, Any) is Reason.JSON_TOO_DEEP


TYPE, CODING = b"content-type", b"content-encoding"


@pytest.mark.parametrize("media_type", [JSON, FORM])
@pytest.mark.parametrize(
    "written",
    [
        "{}",
        " {} ",
        "{}; charset=utf-8",
        "{};charset=UTF-8",
        '{} ; Charset="utf-8"',
    ],
)
def test_a_media_type_is_told_however_it_is_written(media_type: str, written: str) -> None:
    """Case and space do not matter, and a charset may be named if it is UTF-8."""
    for text in (media_type, media_type.upper()):
        value = written.format(text).encode()
        check_fields([(b"accept", b"*/*"), (TYPE, value)], media_type)
        check_fields([(TYPE, value), (CODING, b"identity")], media_type)
        check_fields([(TYPE, value), (CODING, b"")], media_type)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "text/plain",
        "text/plain; {}",
        "text/plain, {}",
        "{}, text/plain",
        "{};charset=latin-1",
        "{}; charset=utf-16",
        "{}; charset=utf-7",
        "{}; charset=utf-8; charset=latin-1",
        "{}; charset=",
        "{}; boundary=x",
        "{}+xml",
        "x{}",
        "{}\xa0",
        "multipart/form-data; boundary=x",
    ],
)
def test_another_media_type_is_refused(written: str) -> None:
    """What a page may send without asking (text/plain, forms) is not JSON, nor the reverse."""
    for media_type, other in ((JSON, FORM), (FORM, JSON)):
        value = written.format(media_type).encode("latin-1")
        for fields in ([(TYPE, value)], [(TYPE, other.encode())], [], [(TYPE, value)] * 2):
            with pytest.raises(BodyError) as error:
                check_fields(fields, media_type)
            assert error.value.reason is Reason.CONTENT_TYPE_UNSUPPORTED


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"identity, gzip", b"x-anything", b"UTF-8"])
def test_a_coded_body_is_refused(coding: bytes) -> None:
    """Nothing is unpacked, so that nothing small becomes large."""
    for fields in ([(CODING, coding)], [(CODING, b"identity"), (CODING, coding)]):
        with pytest.raises(BodyError) as error:
            check_fields([(TYPE, JSON.encode()), *fields], JSON)
        assert error.value.reason is Reason.CONTENT_ENCODING_UNSUPPORTED


def test_limits_are_met_and_not_passed() -> None:
    """As deep and as many as the limits say is good; one more is not."""
    limits = BodyLimits(json_depth=3, form_fields=4)
    check_limits(b"[[[]]]", JSON, limits)
    check_limits(b"a=1&b=2&c&d", FORM, limits)
    for body, media_type, reason in (
        (b"[[[[]]]]", JSON, Reason.JSON_TOO_DEEP),
        (b"a=1&b=2&c&d&e", FORM, Reason.FORM_TOO_LARGE),
        (b"&&&&", FORM, Reason.FORM_TOO_LARGE),
    ):
        with pytest.raises(BodyError) as error:
            check_limits(body, media_type, limits)
        assert error.value.reason is reason


def test_the_deepest_that_may_be_set_is_decoded() -> None:
    """The bound of `max_json_depth` is far from what exhausts the stack."""
    body = b'{"id": 1, "more": ' + b"[" * 199 + b"]" * 199 + b"}"
    check_limits(body, JSON, BodyLimits(json_depth=200))
    assert decode_json(body, Open) == Open(1)
    assert errors_of(body, Order)["/more"] == "is unknown"


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_no_bytes_make_it_fail(body: bytes) -> None:
    """Whatever is sent, the answer is a value or a body error with a reason."""
    answer = attempt(body)
    if isinstance(answer, BodyError):
        assert answer.reason in (Reason.JSON_INVALID, Reason.VALIDATION_FAILED)
        assert (answer.reason is Reason.VALIDATION_FAILED) == bool(answer.errors)


def attempt(body: bytes) -> Order | BodyError:
    """Give the order in the body, or what is wrong with it."""
    try:
        order = decode_json(body, Order)
    except BodyError as error:
        return error
    assert isinstance(order, Order)
    return order


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_FIELDS = st.sampled_from(["id", "name", "items", "notes", "numbers", "weight", "first", "x/~y"])


@given(st.dictionaries(_FIELDS, _JSON) | _JSON)
def test_every_document_is_taken_or_blamed_somewhere(document: object) -> None:
    """JSON of any shape becomes the struct, or names at least one place in itself."""
    body = json.dumps(document).encode()
    answer = attempt(body)
    if isinstance(answer, BodyError) and answer.reason is Reason.VALIDATION_FAILED:
        assert answer.errors
        for field in answer.errors:
            is_there = points_somewhere(field.pointer, json.loads(body))
            assert is_there != (field.detail == "is required"), field
            assert field.detail
