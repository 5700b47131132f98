"""From the pairs of a case to what is said of it."""

import math
from collections.abc import Sequence
from typing import Literal

from benchmarks.case import Margin
from benchmarks.harness.protocol import Described
from benchmarks.results import CaseResult, Pair, Verdict
from benchmarks.statistics import Estimate, estimate, is_off, verdict

Stage = Literal["screen", "confirm"]


def estimated(pairs: Sequence[Pair]) -> Estimate:
    """Give what the ratios of pairs say."""
    return estimate([math.log(pair.ratio) for pair in pairs])


def compared(
    case: Described, pairs: list[Pair], operations: int, margin: Margin, stage: Stage
) -> CaseResult:
    """Give the verdict on a case that both sides have."""
    found = estimated(pairs)
    return CaseResult(
        id=case.id,
        group=case.group,
        kind=case.kind,
        verdict=verdict(found, margin),
        stage=stage,
        operations=operations,
        pairs=pairs,
        ratio=found.interval,
        pair_sd=found.sd,
        unit=case.unit,
        margin=margin.allowed,
        target=margin.target,
    )


def controlled(case: Described, pairs: list[Pair], operations: int, wider: float) -> CaseResult:
    """Give whether base is the same as base; `wider` as the margins of the comparison."""
    found = estimated(pairs)
    said = Verdict.INVALID if is_off(found, wider) else Verdict.OK
    return CaseResult(
        id=case.id,
        group=case.group,
        kind=case.kind,
        verdict=said,
        gated=False,
        operations=operations,
        pairs=pairs,
        ratio=found.interval,
        pair_sd=found.sd,
        unit=case.unit,
    )


def without_pairs(
    case: Described, said: Verdict, error: str | None = None, *, is_gated: bool = True
) -> CaseResult:
    """Give the result of a case that was not compared."""
    return CaseResult(
        id=case.id, group=case.group, kind=case.kind, verdict=said, gated=is_gated, error=error
    )
