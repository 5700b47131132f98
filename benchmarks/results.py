"""What a measurement found, as written to JSON: the schema `edge-bench/1`.

Times are nanoseconds an operation; where the unit is bytes, the fields named for nanoseconds hold
bytes. Ratios are head / base (1.05 is 5 % slower). Each bound of an interval holds with 99 %.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from benchmarks.case import Unit


class Verdict(StrEnum):
    """What is said of a case, or of a whole comparison."""

    REGRESSED = "regressed"
    OK = "ok"
    IMPROVED = "improved"
    INCONCLUSIVE = "inconclusive"
    NEW = "new"  # base has no such case
    REMOVED = "removed"  # head has no such case
    FAILED = "failed"  # it raised, or gave a wrong result
    INVALID = "invalid"  # the machine was too noisy: the A/A control is off


class Interval(msgspec.Struct, frozen=True):
    """A value with its confidence interval."""

    value: float
    low: float
    high: float


class Environment(msgspec.Struct, frozen=True):
    """The machine and how busy it was; `steal` is the part of the time that other guests had."""

    cpu: str
    cpus: int
    kernel: str
    python: str
    started: str  # RFC 3339
    seconds: float
    load: float
    steal: float
    pinned: bool  # where it is not, margins are wider


class Side(msgspec.Struct, frozen=True):
    """One side of a comparison."""

    name: str  # as asked for: "main", "working tree"
    commit: str
    dirty: bool
    lock: str  # digest of its requirements


class Pair(msgspec.Struct, frozen=True):
    """Two processes that took turns on one CPU: the unit that statistics count."""

    seed: int
    cpu: int | None
    ratio: float  # by the trimmed mean of the log ratios of the batches
    base_ns: float
    head_ns: float


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a case."""

    id: str
    group: str
    kind: str
    verdict: Verdict
    gated: bool = True
    stage: Literal["screen", "confirm", "none"] = "none"
    operations: int = 0  # in a batch, on both sides
    pairs: list[Pair] = []
    ratio: Interval | None = None
    pair_sd: float | None = None  # of the log ratio
    margin: float | None = None
    target: float | None = None
    error: str | None = None
    unit: Unit = "ns"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """How long an operation takes in one tree: never gated."""

    id: str
    group: str
    ns: Interval
    kind: str
    error: str | None = None
    unit: Unit = "ns"


class Ratio(msgspec.Struct, frozen=True):
    """How many times as long a case takes as a floor or a peer, measured in turns in one run."""

    case: str
    reference: str
    relation: Literal["floor", "peer"]
    times: Interval


class GrowthPoint(msgspec.Struct, frozen=True):
    """What an operation takes when there are `size` of something."""

    curve: str  # "verify among signing keys"
    size: int
    ns: Interval


class Comparison(msgspec.Struct, frozen=True, kw_only=True, tag="comparison", tag_field="type"):
    """The result of `edge-bench compare`."""

    schema: Literal["edge-bench/1"] = "edge-bench/1"
    verdict: Verdict
    quick: bool
    environment: Environment
    base: Side
    head: Side
    control: list[CaseResult]  # base against base
    cases: list[CaseResult]
    dependencies: list[str] = []  # "granian 2.8.6 -> 2.8.7"


class Report(msgspec.Struct, frozen=True, kw_only=True, tag="run", tag_field="type"):
    """The result of `edge-bench run`."""

    schema: Literal["edge-bench/1"] = "edge-bench/1"
    environment: Environment
    side: Side
    cases: list[Measured]
    ratios: list[Ratio]
    growth: list[GrowthPoint] = []
