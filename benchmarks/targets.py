"""What "fast" means for Edge, and whether a run reached it.

Speeds are told as ratios within the run: machines differ, and ratios differ less than times.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from benchmarks.results import Interval, Report

_NS: Final = 1e9  # of a second

Measure = Literal["speed", "cost", "rate", "above_us"]
Answer = Literal["reached", "missed", "not known"]


class Target(msgspec.Struct, frozen=True):
    """At least `bound` times the speed of a reference, at most that many times its cost, ...

    At least that many operations a second, or at most that many microseconds above the reference.
    """

    case: str
    measure: Measure
    bound: float
    reference: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What was found of a target."""

    target: Target
    found: Interval
    answer: Answer


def _above(algorithm: str) -> Target:
    return Target(f"verify/{algorithm}/cold", "above_us", 8, f"floor/verify-{algorithm}")


# Set before Edge was built, from measurements of a prototype and of the peers. Changing one is a
# decision about the product: a target is not made to fit what was measured.
TARGETS: Final[Sequence[Target]] = [
    *map(_above, ("hs256", "es256", "rs256", "eddsa")),
    Target("verify/hs256/cold", "speed", 3, "peer/joserfc/hs256"),
    Target("verify/hs256/cold", "speed", 5, "peer/pyjwt/hs256"),
    Target("verify/warm/0-revoked", "rate", 500_000),
    Target("limit/redis/counter/256", "speed", 1, "floor/redis-benchmark"),
    Target("limit/redis/counter/256", "speed", 6, "peer/limits-moving/256"),
    Target("limit/redis/counter/256", "speed", 6, "peer/limits-sliding/256"),
    Target("server/forward-auth", "speed", 0.6, "floor/asgi"),
    Target("server/admin-area", "speed", 0.7, "floor/litestar"),
    Target("server/admin-area", "speed", 5, "peer/fastapi-uvicorn/admin-area"),
    Target("server/admin-area", "speed", 12, "peer/fastapi-textbook/admin-area"),
    Target("process/start", "cost", 3, "floor/import"),
    Target("memory/worker", "cost", 3, "floor/memory-litestar"),
]


def outcomes(result: Report, targets: Sequence[Target] = TARGETS) -> list[Outcome]:
    """Give what the run found of each target whose case and reference it measured."""
    ns = {case.id: case.ns for case in result.cases if not case.error}
    times = {(one.case, one.reference): one.times for one in result.ratios}
    measured = ((target, _found(target, ns, times)) for target in targets)
    return [Outcome(one, found, _answer(one, found)) for one, found in measured if found]


def _found(
    target: Target,
    ns: Mapping[str, Interval],
    times: Mapping[tuple[str, str], Interval],
) -> Interval | None:
    own, beside = ns.get(target.case), times.get((target.case, target.reference))
    if target.measure == "rate":
        return own and _turned(own, lambda taken: _NS / taken)
    if beside is None or own is None:
        return None
    match target.measure:
        case "cost":
            return beside
        case "speed":
            return _turned(beside, lambda many: 1 / many)
        case "above_us":
            # Of two that are sure to 99 % each, so it is wider than it had to be.
            pairs = ((own.value, beside.value), (own.low, beside.low), (own.high, beside.high))
            return Interval(*(ns / 1000 * (1 - 1 / many) for ns, many in pairs))


def _turned(found: Interval, turn: Callable[[float], float]) -> Interval:
    """Give what becomes less where the other becomes more."""
    return Interval(turn(found.value), turn(found.high), turn(found.low))


def _answer(target: Target, found: Interval) -> Answer:
    is_most = target.measure in ("cost", "above_us")
    low, high = (found.low, found.high)
    if high <= target.bound if is_most else low >= target.bound:
        return "reached"
    if low > target.bound if is_most else high < target.bound:
        return "missed"
    return "not known"
