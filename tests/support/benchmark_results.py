"""Results of benchmarks, made up: what reports are tested on."""

import math
import random
from collections.abc import Sequence
from typing import Any

import msgspec

from benchmarks.case import Unit
from benchmarks.results import (
    CaseResult,
    Comparison,
    Environment,
    GrowthPoint,
    Interval,
    Measured,
    Pair,
    Ratio,
    Report,
    Side,
    Verdict,
)

ENVIRONMENT = Environment(
    cpu="AMD EPYC",
    cpus=2,
    kernel="Linux 6.1.0",
    python="CPython 3.11.7",
    started="2026-11-25T12:00:00Z",
    seconds=184.0,
    load=0.7,
    steal=0.004,
    pinned=True,
)
BASE = Side(name="main", commit="1a2b3c4d5e6f", dirty=False, lock="sha256:1")
HEAD = Side(name="working tree", commit="6f5e4d3c2b1a", dirty=True, lock="sha256:1")


def pairs(ratio: float, base_ns: float, count: int = 12, seed: int = 7) -> list[Pair]:
    drawn = random.Random(seed)  # noqa: S311  # noise, no secret
    made = []
    for number in range(count):
        speed, noise = drawn.gauss(1, 0.05), math.exp(drawn.gauss(0, 0.012))
        base = base_ns * speed
        one = ratio * noise
        made.append(Pair(number, number % 2, one, base, base * one))
    return made


def case(
    id_: str,
    verdict: Verdict = Verdict.OK,
    change: float = 0.0,
    **other: Any,  # noqa: ANN401  # any field
) -> CaseResult:
    ratio = 1 + change
    given: dict[str, Any] = {
        "id": id_,
        "group": id_.partition("/")[0],
        "kind": "micro",
        "verdict": verdict,
        "stage": "confirm",
        "operations": 44,
        "pairs": pairs(ratio, 93_100.0, seed=len(id_)),
        "ratio": Interval(ratio, ratio - 0.012, ratio + 0.012),
        "pair_sd": 0.012,
        "margin": 0.02,
        "target": 0.05,
    }
    return CaseResult(**given | other)


def without_ratio(id_: str, verdict: Verdict, error: str | None = None) -> CaseResult:
    return case(id_, verdict, pairs=[], ratio=None, pair_sd=None, stage="none", error=error)


def comparison(
    cases: Sequence[CaseResult],
    verdict: Verdict = Verdict.OK,
    **other: Any,  # noqa: ANN401  # any field
) -> Comparison:
    made = Comparison(
        verdict=verdict,
        quick=False,
        environment=ENVIRONMENT,
        base=BASE,
        head=HEAD,
        control=[case("verify/hs256/cold", change=0.001)],
        cases=list(cases),
    )
    return msgspec.structs.replace(made, **other)


def every_verdict() -> Comparison:
    """Give a comparison in which each verdict occurs, and most cases are ok."""
    same = ("hs256/cold", "hs256/warm", "rs256/cold", "eddsa/cold", "unknown_key", "expired")
    return comparison(
        [
            *(case(f"verify/{name}", change=0.002 * at - 0.006) for at, name in enumerate(same)),
            case("rate_limit/redis/counter/256_in_flight", change=0.011, margin=0.03, kind="redis"),
            case("memory/worker", pairs=pairs(1.0, 112_000_000.0), unit="bytes"),
            case("verify/es256/cold", Verdict.REGRESSED, 0.056),
            case("rate_limit/memory/counter", Verdict.IMPROVED, -0.081),
            case(
                "http/forward_auth",
                Verdict.INCONCLUSIVE,
                0.024,
                ratio=Interval(1.024, 0.96, 1.09),
                margin=0.03,
                gated=False,
            ),
            without_ratio("http/basic", Verdict.NEW),
            without_ratio("http/hello", Verdict.REMOVED),
            without_ratio("refresh/sqlite", Verdict.FAILED, "WrongResultError: other claims"),
        ],
        Verdict.REGRESSED,
        dependencies=["granian 2.8.6 -> 2.8.7"],
    )


def ran() -> Report:
    """Give a report of one tree, with floors, peers, a curve that is flat and one that is not."""
    cases = {
        "verify/hs256/cold": 8_040.0,
        "verify/es256/cold": 91_980.0,
        "verify/es256/warm": 1_402.0,
        "rate_limit/redis/counter/256_in_flight": 7_000.0,
    }
    return Report(
        environment=ENVIRONMENT,
        side=HEAD,
        cases=[
            *(measured(id_, ns) for id_, ns in cases.items()),
            measured("rate_limit/redis/log/1_in_flight", 0.0, error="RedisError: it is away"),
            measured("memory/worker", 112_000_000.0, unit="bytes"),
        ],
        ratios=[
            *ratios("verify/hs256/cold", floor=3.32, joserfc=0.25, pyjwt=0.143),
            *ratios("verify/es256/cold", floor=1.1, joserfc=0.71, pyjwt=0.62),
            *ratios("rate_limit/redis/counter/256_in_flight", floor=0.42, limits=0.067),
            *ratios("memory/worker", floor=1.52),
        ],
        growth=[
            *curve("verify among signing keys", {1: 8_040, 10: 8_110, 100: 8_260}),
            *curve("revocation set", {0: 1_402, 100_000: 2_950}),
        ],
    )


def measured(id_: str, ns: float, error: str | None = None, unit: Unit = "ns") -> Measured:
    return Measured(
        id=id_,
        group=id_.partition("/")[0],
        ns=Interval(ns, ns * 0.985, ns * 1.02),
        kind="micro",
        error=error,
        unit=unit,
    )


def ratios(id_: str, **found: float) -> list[Ratio]:
    return [
        Ratio(
            id_,
            f"{'floor/primitive' if name == 'floor' else f'peer/{name}'}-{id_.split('/')[1]}",
            "floor" if name == "floor" else "peer",
            Interval(times, times * 0.97, times * 1.03),
        )
        for name, times in found.items()
    ]


def curve(name: str, points: dict[int, float]) -> list[GrowthPoint]:
    return [
        GrowthPoint(name, size, Interval(ns, ns * 0.98, ns * 1.02)) for size, ns in points.items()
    ]
