"""What JSON may not look like, whatever it means: nested too deep, or with a member twice. Pure.

msgspec gives up on deep nesting with a `RecursionError`, and takes the last of two members with the
same name where another reader takes the first.
"""

import json
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, Final

_OPENING: Final = b"[{"
_CLOSING: Final = b"]}"
_NO_BRACKETS: Final = bytes(set(range(256)) - set(_OPENING + _CLOSING))
# As signed bytes, brackets are the steps that depth takes: +1 and -1.
_STEPS: Final = bytes.maketrans(_OPENING + _CLOSING, b"\x01\x01\xff\xff")

Place = tuple[str, ...]


class _RepeatedError(ValueError):
    """An object has two members with the same name."""


def is_deeper(document: bytes, limit: int) -> bool:
    """Say whether arrays and objects are nested deeper than this; `{}` is one deep.

    It need not be JSON. The time is linear in the length, whatever the document.
    """
    if document.count(b"[") + document.count(b"{") <= limit:
        return False
    outside_strings = document.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    steps = b"".join(outside_strings).translate(_STEPS, _NO_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0) > limit


def repeated_member(document: bytes) -> Place | None:
    """Give the place of the first member whose name its object had already; None without one.

    The document must not be deeper than some hundred levels.

    Raises:
        ValueError: it is not JSON in UTF-8.
    """
    text = document.decode("utf-8")
    try:
        _refuse_repeated(text)
    except _RepeatedError:
        return _find_repeated(_read_as_pairs(text))
    return None


def _names_differ(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _RepeatedError


# What numbers are is not asked: as text they cannot be too long for Python.
_refuse_repeated: Final = json.JSONDecoder(
    object_pairs_hook=_names_differ, parse_int=str, parse_float=str
).decode
_read_as_pairs: Final = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=str, parse_float=str
).decode


def _find_repeated(value: Any) -> Place | None:  # noqa: ANN401  # any JSON; objects are tuples
    seen = set()
    for name, inner in _members(value):
        if name in seen:
            return (name,)
        seen.add(name)
        if place := _find_repeated(inner):
            return (name, *place)
    return None


def _members(value: Any) -> Iterable[tuple[str, Any]]:  # noqa: ANN401
    if isinstance(value, tuple):
        return value
    if isinstance(value, list):
        return ((str(number), inner) for number, inner in enumerate(value))
    return ()
