"""Looking at a JSON body before and after it is decoded, beside decoding it.

`depth` finds bodies that are nested too deep, before; `repeated` those with a member twice, after.
`floor/decode` is msgspec alone, into plain values. What is too deep is not decoded at all.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from benchmarks.batches import calling, ready
from benchmarks.case import Batch, Case
from edge.http.bodies import BodyLimits
from edge.http.json_shape import is_deeper, repeated_member

_LIMIT: Final = BodyLimits().json_depth
_SIZE: Final = 64 * 1024  # the default of EDGE_SERVER_MAX_BODY_BYTES
# As many as a cache of the CPU does not hold.
_BYTES_OF_ALL: Final = 256 * 1024

_CHAIN: Final = b"[" * (_LIMIT - 1) + b"]" * (_LIMIT - 1)


def _login(number: int) -> bytes:
    return b'{"username": "somebody-%d", "password": "a long enough one 12"}' % number


def _objects(number: int, size: int) -> bytes:
    found = [{"id": number + n, "name": "somebody", "roles": ["a", "b"]} for n in range(size)]
    return json.dumps(found).encode()


_MAKE: Final[Mapping[str, Callable[[int], bytes]]] = {
    "login": _login,
    "40-objects": partial(_objects, size=40),
    "64k-objects": partial(_objects, size=1000),
    "64k-string": lambda n: b'"%d' % n + b"x" * (_SIZE - 8) + b'"',
    "64k-brackets": lambda _: b"[" + b",".join([_CHAIN] * (_SIZE // (len(_CHAIN) + 1))) + b"]",
    "64k-too-deep": lambda _: b"[" * (_SIZE // 2) + b"]" * (_SIZE // 2),
}


def _looking(name: str, call: Callable[[bytes], Any], is_right: Callable[[Any], bool]) -> Batch:
    make = _MAKE[name]
    number = max(2, min(64, _BYTES_OF_ALL // len(make(0))))
    return calling(call, [make(n) for n in range(number)], is_right)


def _is_too_deep(body: bytes) -> bool:
    return is_deeper(body, _LIMIT)


def _cases(name: str) -> list[Case]:
    def case(what: str, call: Callable[[bytes], Any], is_right: Callable[[Any], bool]) -> Case:
        of = [] if what == "floor/decode" else [f"floor/decode/{name}"]
        return Case(id=f"{what}/{name}", open=ready(partial(_looking, name, call, is_right)), of=of)

    if name == "64k-too-deep":
        found = case("body/depth", _is_too_deep, bool)
        return [msgspec.structs.replace(found, of=())]
    return [
        case("body/depth", _is_too_deep, lambda is_found: not is_found),
        case("body/repeated", repeated_member, lambda found: found is None),
        case("floor/decode", msgspec.json.decode, lambda _: True),
    ]


CASES: Final[Sequence[Case]] = [case for name in _MAKE for case in _cases(name)]
