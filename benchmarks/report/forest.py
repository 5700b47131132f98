"""The change of each case on one axis: with its confidence interval, and pair by pair."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from benchmarks.report.drawing import (
    Picture,
    Scale,
    axis,
    band,
    dot,
    interval,
    line,
    room_for,
    speck,
    text,
)
from benchmarks.report.figures import change, change_range
from benchmarks.report.markup import Markup, shortened
from benchmarks.report.summary import MARKS, counts, ordered
from benchmarks.results import CaseResult, Comparison, Pair

# Around 1: a twentieth each way at least, so that noise looks small; what lies beyond a half is
# drawn at the edge.
_LEAST: Final = math.log(1.05)
_MOST: Final = math.log(1.5)
_AIR: Final = 1.1
_STEPS: Final = (1, 2, 5, 10, 20, 50)
_TICKS: Final = 4  # at most, on each side

_WIDTH: Final = 380
_GAP: Final = 14
_CHANGE: Final = 76  # for "+12.3 %" beside the plot
_HEAD: Final = 40
_ROW: Final = 24
_TALL_ROW: Final = 44


def forest(result: Comparison) -> Picture:
    """Draw the change of each case with its interval, and the margins as a shaded band."""
    cases = _drawn(result)
    names = [shortened(case.id) for case in cases]
    scale = _scale(room_for(names), [edge for case in cases for edge in _edges(case)])
    bottom = _HEAD + _ROW * len(cases)
    parts = [*_ground(scale, cases, _ROW)]
    for row, (case, name) in enumerate(zip(cases, names, strict=True)):
        parts += _row(case, name, scale, _HEAD + _ROW * (row + 0.5))
    notes = _CHANGE + room_for(map(_verdict, cases))
    return Picture(
        name="forest",
        title="Change of each case",
        description=f"Head beside base, on a logarithmic axis, with bounds sure to 99 % each; "
        f"right is slower; shaded is what may change. {counts(result)}.",
        width=scale.left + scale.width + _GAP + notes,
        height=bottom + _GAP,
        parts=parts,
    )


def scatter(result: Comparison) -> Picture:
    """Draw each pair of processes by itself, the first one on top."""
    cases = _drawn(result)
    names = [shortened(case.id) for case in cases]
    scale = _scale(room_for(names), [pair.ratio for case in cases for pair in case.pairs])
    parts = [*_ground(scale, cases, _TALL_ROW)]
    for row, (case, name) in enumerate(zip(cases, names, strict=True)):
        top = _HEAD + _TALL_ROW * row
        parts.append(text(0, top + _TALL_ROW / 2, name))
        parts += _specks(case, scale, top)
    return Picture(
        name="scatter",
        title="Change of each pair of processes",
        description="A dot is one pair of processes, from the first above to the last below; "
        "right is slower. Pairs are what statistics count.",
        width=scale.left + scale.width + _GAP,
        height=_HEAD + _TALL_ROW * len(cases) + _GAP,
        parts=parts,
    )


def _drawn(result: Comparison) -> list[CaseResult]:
    return [case for case in ordered(result.cases) if case.ratio]


def _edges(case: CaseResult) -> Iterator[float]:
    if case.ratio:
        yield from (case.ratio.low, case.ratio.high)
    if case.margin:
        yield 1 + case.margin


def _scale(left: float, ratios: Iterable[float]) -> Scale:
    farthest = max((abs(math.log(ratio)) for ratio in ratios if ratio > 0), default=0.0)
    half = min(max(_AIR * farthest, _LEAST), _MOST)
    return Scale(math.exp(-half), math.exp(half), left + _GAP, _WIDTH, logarithmic=True)


def _ground(scale: Scale, cases: Sequence[CaseResult], row_height: float) -> Iterator[Markup]:
    bottom = _HEAD + row_height * len(cases)
    for row, case in enumerate(cases):
        if case.margin:
            top = _HEAD + row_height * row
            yield band(scale, 1 / (1 + case.margin), 1 + case.margin, top, top + row_height)
    yield from axis(scale, _ticks(scale), _HEAD, bottom)
    yield line(scale.at(1), _HEAD, scale.at(1), bottom, "zero")


def _ticks(scale: Scale) -> Iterator[tuple[float, str]]:
    """Give round percents on both sides of none."""
    reach = 100 * (scale.high - 1)
    step = next((one for one in _STEPS if reach / one <= _TICKS), _STEPS[-1])
    for percent in range(-step * _TICKS, step * _TICKS + 1, step):
        if scale.holds(1 + percent / 100):
            yield 1 + percent / 100, f"{percent:+d} %" if percent else "0"


def _row(case: CaseResult, name: str, scale: Scale, y: float) -> Iterator[Markup]:
    mark = MARKS[case.verdict]
    yield text(0, y, name)
    if case.ratio:
        yield from interval(scale, case.ratio.low, case.ratio.high, y, mark.tone)
        changed = change(case.ratio.value)
        label = f"{case.id}: {changed} ({change_range(case.ratio)}), {_verdict(case)}"
        yield dot(scale.at(case.ratio.value), y, mark.shape, mark.tone, label)
        end = scale.left + scale.width + _CHANGE
        yield text(end, y, changed, anchor="end", class_=mark.tone)
        yield text(end + _GAP, y, _verdict(case), class_=mark.tone)


def _verdict(case: CaseResult) -> str:
    return f"{case.verdict}{'' if case.gated else ' (not gated)'}"


def _specks(case: CaseResult, scale: Scale, top: float) -> Iterator[Markup]:
    step = _TALL_ROW / (len(case.pairs) + 1)
    for number, pair in enumerate(case.pairs, 1):
        tone = MARKS[case.verdict].tone
        yield speck(scale.at(pair.ratio), top + step * number, tone, _told(pair, number))
    yield line(0, top + _TALL_ROW, scale.left + scale.width, top + _TALL_ROW, "grid")


def _told(pair: Pair, number: int) -> str:
    cpu = "" if pair.cpu is None else f", CPU {pair.cpu}"
    return f"pair {number}: {change(pair.ratio)}{cpu}, seed {pair.seed}"
