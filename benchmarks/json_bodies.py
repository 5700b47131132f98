"""What looking at a JSON body costs before and after it is decoded, beside decoding it.

    python -m benchmarks.json_bodies

`depth` finds bodies that are nested too deep, before; `repeated` those with a member twice, after.
`decode` is msgspec alone, into plain values. Bodies that are too deep are not decoded at all.
"""

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec

from edge.http.bodies import BodyLimits
from edge.http.json_shape import is_deeper, repeated_member

_LIMIT: Final = BodyLimits().json_depth
_SIZE: Final = 64 * 1024  # the default of EDGE_SERVER_MAX_BODY_BYTES
_ROUNDS: Final = 41
_SECONDS_A_TURN: Final = 0.002
_US: Final = 1_000_000

_CHAIN: Final = b"[" * (_LIMIT - 1) + b"]" * (_LIMIT - 1)
BODIES: Final[dict[str, bytes]] = {
    "a login": b'{"username": "somebody", "password": "a long enough one 12"}',
    "40 objects": json.dumps([{"id": n, "name": "somebody"} for n in range(40)]).encode(),
    "64 KiB of objects": json.dumps(
        [{"name": "somebody", "roles": ["a", "b"], "id": n} for n in range(1200)]
    ).encode(),
    "64 KiB of one string": b'"' + b"x" * (_SIZE - 2) + b'"',
    "64 KiB of brackets": b"[" + b",".join([_CHAIN] * (_SIZE // (len(_CHAIN) + 1))) + b"]",
    "64 KiB, too deep": b"[" * (_SIZE // 2) + b"]" * (_SIZE // 2),
}


def main() -> int:
    """Print the table."""
    print(f"Python {platform.python_version()}, {platform.machine()}, {_ROUNDS} rounds")
    print(f"{'us':24}{'depth':>10}{'decode':>10}{'repeated':>10}")
    for name, body in BODIES.items():
        calls: list[Callable[[bytes], object]] = [lambda body: is_deeper(body, _LIMIT)]
        if not is_deeper(body, _LIMIT):
            calls += [msgspec.json.decode, repeated_member]
        times = _take_turns(calls, body)
        print(f"{name:24}" + "".join(f"{seconds * _US:10.2f}" for seconds in times))
    return 0


def _take_turns(calls: list[Callable[[bytes], object]], body: bytes) -> list[float]:
    """Give the median of each call's turns, in seconds a call."""
    counts = [max(1, int(_SECONDS_A_TURN / _time(call, body, 1))) for call in calls]
    rounds = [
        [_time(call, body, count) for call, count in zip(calls, counts, strict=True)]
        for _ in range(_ROUNDS)
    ]
    return [statistics.median(turns) for turns in zip(*rounds, strict=True)]


def _time(call: Callable[[bytes], object], body: bytes, count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        call(body)
    return (time.perf_counter() - started) / count


if __name__ == "__main__":
    sys.exit(main())
