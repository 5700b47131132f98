"""Request bodies: JSON and nothing else, decoded straight into the type the handler declares.

Litestar would read any content type as JSON, turn "1" into 1, report the first error only and fail
with a 500 on deep nesting; `EdgeRequest` closes these where the body is read.
"""

import re
from typing import Any, Final

import msgspec
from litestar import Request

from edge.http.problems import FieldError
from edge.reasons import Reason

_JSON: Final = re.compile(r'application/json(?:\s*;\s*charset\s*=\s*"?utf-8"?)?', re.IGNORECASE)
# How msgspec ends a message: where in the document, or that it was a key there.
_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$(.*)`$")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
# It does not say which entry of a mapping, so a pointer ends at the mapping.
_SOME_ENTRY: Final = "[...]"


class BodyError(Exception):
    """The body is not what the route takes."""

    def __init__(self, reason: Reason, errors: list[FieldError] | None = None) -> None:
        self.reason = reason
        self.errors = errors or []
        super().__init__(reason.value)


class EdgeRequest(Request[Any, Any, Any]):
    """Litestar's request with a strict `json()`; install it as `request_class`."""

    async def json(self) -> Any:  # noqa: ANN401  # whatever type the handler declares
        """Decode the body.

        Raises:
            BodyError: it is not JSON, or not of the declared type.
        """
        body = await self.body()
        if not _JSON.fullmatch(self.headers.get("content-type", "").strip()):
            raise BodyError(Reason.CONTENT_TYPE_UNSUPPORTED)
        declared = getattr(self.route_handler, "parsed_data_field", None)
        return decode_json(body, declared.annotation if declared else Any)


def decode_json(body: bytes, type_: Any) -> Any:  # noqa: ANN401  # a type, and a value of it
    """Decode strictly into a type.

    Raises:
        BodyError: the body is not JSON, or not of the type; then with every field at fault.
    """
    try:
        return _decode(body, type_)
    except msgspec.ValidationError as error:
        raise BodyError(Reason.VALIDATION_FAILED, _all_errors(body, type_, error)) from None


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
        errors += [FieldError(_pointer(name), "is unknown") for name in raw.keys() - known]
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
