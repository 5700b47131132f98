"""Request bodies: of the media type the route takes, bounded, and decoded strictly.

Litestar would read any content type as JSON or as a form, turn "1" into 1, report the first error
only and fail with a 500 on deep nesting; `EdgeRequest` closes these where the body is read.
"""

import re
from collections.abc import AsyncGenerator, Iterable
from typing import Any, ClassVar, Final

import msgspec
from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.enums import RequestEncodingType
from litestar.exceptions import SerializationException

from edge.access.principal import Principal
from edge.http.json_shape import is_deeper, repeated_member
from edge.http.problems import FieldError
from edge.reasons import Reason

JSON: Final = RequestEncodingType.JSON.value
FORM: Final = RequestEncodingType.URL_ENCODED.value
PARTS: Final = RequestEncodingType.MULTI_PART.value
MESSAGEPACK: Final = RequestEncodingType.MESSAGEPACK.value

_CHECKED: Final = frozenset({JSON, FORM, MESSAGEPACK})  # multipart is, too, where it is streamed
_UTF_8: Final = re.compile(r'(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?', re.IGNORECASE)
_BOUNDARY: Final = re.compile(
    r'(?:[ \t]*;[ \t]*(?:boundary=(?:[^\s;"]+|"[^"]+")|charset=(?:utf-8|"utf-8")))+', re.IGNORECASE
)
# An answer must not be many times as long as its question.
_MOST_ERRORS: Final = 100
# How msgspec ends a message: where in the document, or that it was a key there.
_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$(.*)`$")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
# It does not say which entry of a mapping, so a pointer ends at the mapping.
_SOME_ENTRY: Final = "[...]"

Fields = Iterable[tuple[bytes, bytes]]


class BodyError(Exception):
    """The body is not what the route takes."""

    def __init__(self, reason: Reason, errors: list[FieldError] | None = None) -> None:
        self.reason = reason
        self.errors = errors or []
        super().__init__(reason.value)


class BodyLimits(msgspec.Struct, frozen=True):
    """What a body may hold, beside its size."""

    json_depth: int = 64
    form_fields: int = 100


class EdgeRequest(Request[Principal, Any, Any]):
    """Litestar's request with strict bodies; install it as `request_class`.

    Its `user` is the principal, where the route is not public.
    """

    limits: ClassVar[BodyLimits] = BodyLimits()
    _checked_as: str | None = None

    async def body(self) -> bytes:
        """Give the body, checked to be what the handler declares as its `data`.

        Raises:
            BodyError: it is of another media type, or more than the limits allow.
        """
        media_type = self._declared_type()
        return await (self.body_as(media_type) if media_type else super().body())

    def stream(self) -> AsyncGenerator[bytes, None]:
        """Give the body in pieces; raises as `body` does where the handler takes its parts."""
        if self._declared_type() == PARTS and self.headers.get("content-length") != "0":
            check_fields(self.scope["headers"], PARTS)
        return super().stream()

    async def body_as(self, media_type: str) -> bytes:
        """Give the body, checked to be of this media type; raises as `body` does."""
        body = await super().body()
        if body and media_type in _CHECKED and media_type != self._checked_as:
            check_fields(self.scope["headers"], media_type)
            check_limits(body, media_type, self.limits)
            self._checked_as = media_type
        return body

    async def json(self) -> Any:  # noqa: ANN401  # whatever type the handler declares
        """Decode the body.

        Raises:
            BodyError: it is not JSON, or not of the declared type.
        """
        body = await self.body_as(JSON)
        declared = getattr(self.route_handler, "parsed_data_field", None)
        return decode_json(body, declared.annotation if declared else Any)

    async def form(self) -> FormMultiDict:
        """Read the body as a form, or as the parts of one; raises as `body` does."""
        if self.content_type[0] == PARTS:
            check_fields(self.scope["headers"], PARTS)
        else:
            await self.body_as(FORM)
        return await super().form()

    async def msgpack(self) -> Any:  # noqa: ANN401  # validated by Litestar
        """Decode the body; raises as `body` does, also where it is no MessagePack."""
        await self.body_as(MESSAGEPACK)
        try:
            return await super().msgpack()
        except (SerializationException, RecursionError):
            raise BodyError(Reason.REQUEST_INVALID) from None

    def _declared_type(self) -> str | None:
        declared = getattr(self.route_handler, "parsed_data_field", None)
        return getattr(declared.kwarg_definition, "media_type", JSON) if declared else None


def bounded_request(limits: BodyLimits) -> type[EdgeRequest]:
    """Make the request class for an app with these limits."""
    return type("EdgeRequest", (EdgeRequest,), {"limits": limits})


def check_fields(fields: Fields, media_type: str) -> None:
    """See that header fields announce this media type, in UTF-8 and without a coding.

    Raises:
        BodyError: they announce something else, or two things.
    """
    fields = list(fields)
    codings = b",".join(value for name, value in fields if name == b"content-encoding")
    if any(coding.strip().lower() not in (b"", b"identity") for coding in codings.split(b",")):
        raise BodyError(Reason.CONTENT_ENCODING_UNSUPPORTED)
    types = b",".join(value for name, value in fields if name == b"content-type")
    announced = types.decode("latin-1").strip(" \t")
    length = len(media_type)
    parameters = _BOUNDARY if media_type == PARTS else _UTF_8
    if announced[:length].lower() != media_type or not parameters.fullmatch(announced[length:]):
        raise BodyError(Reason.CONTENT_TYPE_UNSUPPORTED)


def check_limits(body: bytes, media_type: str, limits: BodyLimits) -> None:
    """See that a body is no more than the limits allow, before it is decoded.

    Raises:
        BodyError: it is.
    """
    if media_type == JSON and is_deeper(body, limits.json_depth):
        raise BodyError(Reason.JSON_TOO_DEEP)
    if media_type == FORM and body.count(b"&") >= limits.form_fields:
        raise BodyError(Reason.FORM_TOO_LARGE)


def decode_json(body: bytes, type_: Any) -> Any:  # noqa: ANN401  # a type, and a value of it
    """Decode strictly into a type.

    Raises:
        BodyError: the body is not JSON, or not of the type; then with every field at fault.
    """
    try:
        decoded = _decode(body, type_)
    except msgspec.ValidationError as error:
        errors = _all_errors(body, type_, error)[:_MOST_ERRORS]
        raise BodyError(Reason.VALIDATION_FAILED, errors) from None
    _refuse_repeated(body)
    return decoded


def _refuse_repeated(body: bytes) -> None:
    try:
        place = repeated_member(body)
    except ValueError:  # in a member that was skipped, being unknown
        raise BodyError(Reason.JSON_INVALID) from None
    if place is not None:
        pointer = "".join(map(_pointer, place))
        raise BodyError(Reason.VALIDATION_FAILED, [FieldError(pointer, "is repeated")])


def _decode(body: bytes, type_: Any) -> Any:  # noqa: ANN401
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BodyError(Reason.JSON_INVALID) from None
    except RecursionError:
        raise BodyError(Reason.JSON_TOO_DEEP) from None


def _all_errors(body: bytes, type_: Any, first: Exception) -> list[FieldError]:  # noqa: ANN401
    """Decode field by field, to name every mistake where msgspec stops at the first."""
    try:
        raw = _decode(body, Any)
    except msgspec.ValidationError:  # a number that nothing can hold
        return [FieldError("", _PLACE.sub("", str(first)))]
    if not isinstance(raw, dict) or not isinstance(type_, type(msgspec.Struct)):
        return [_field_error("", first)]
    errors = []
    fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
    for name, field in fields.items():
        if name not in raw:
            if field.required:
                errors.append(FieldError(_pointer(name), "is required"))
            continue
        try:
            msgspec.convert(raw[name], field.type, str_keys=True)
        except msgspec.ValidationError as error:
            errors.append(_field_error(_pointer(name), error))
    if type_.__struct_config__.forbid_unknown_fields:
        known = fields.keys() | {type_.__struct_config__.tag_field}
        unknown = [name for name in raw if name not in known]
        errors += [FieldError(_pointer(name), "is unknown") for name in unknown]
    return errors or [_field_error("", first)]


def _field_error(pointer: str, error: Exception) -> FieldError:
    text = str(error)
    place = _PLACE.search(text)
    if place is None:
        return FieldError(pointer, text)
    certain = place[1].partition(_SOME_ENTRY)[0]
    steps = "".join(_pointer(name or index) for name, index in _STEP.findall(certain))
    return FieldError(pointer + steps, text[: place.start()])


def _pointer(step: str) -> str:
    escaped = step.replace("~", "~0").replace("/", "~1")
    return f"/{escaped}"
