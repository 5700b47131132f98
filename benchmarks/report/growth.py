"""What an operation takes when there is more of something: flat is what one wants to see."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from benchmarks.report.drawing import Picture, Scale, axis, curve, dot, line, room_for, text
from benchmarks.report.figures import amount, times
from benchmarks.report.markup import Markup
from benchmarks.results import GrowthPoint, Report

_WIDTH: Final = 420
_HEIGHT: Final = 150
_HEAD: Final = 40
_GAP: Final = 14
_AIR: Final = 1.15
_MOST: Final = 2  # of the longest time: one interval that is very wide does not flatten the curve


def curves(result: Report) -> list[list[GrowthPoint]]:
    """Give the points of each curve, the smallest size first."""
    points = sorted(result.growth, key=lambda one: (one.curve, one.size))
    return [list(found) for _, found in groupby(points, key=lambda one: one.curve)]


def growth(points: Sequence[GrowthPoint], name: str) -> Picture:
    """Draw one curve: time from zero upwards, over the size on a logarithmic axis."""
    levels = [0.0, max(one.ns.value for one in points)]
    labels = [amount(level) if level else "0" for level in levels]
    across = _across(points, room_for(labels))
    up = Scale(0, min(max(one.ns.high for one in points), _MOST * levels[1]) * _AIR, 0, _HEIGHT)
    parts = [*axis(across, _ticks(points), _HEAD, _HEAD + _HEIGHT)]
    for level, label in zip(levels, labels, strict=True):
        y = _height(up, level)
        parts.append(text(across.left - _GAP, y, label, anchor="end", class_="muted"))
        parts.append(line(across.left - _GAP / 2, y, across.left + _WIDTH, y, "grid"))
    parts += _drawn(points, across, up)
    return Picture(
        name=name,
        title=points[0].curve,
        description=f"{told(points)}. Time starts at zero; sizes are on a logarithmic axis.",
        width=across.left + _WIDTH + 2 * _GAP,
        height=_HEAD + _HEIGHT + _GAP,
        parts=parts,
    )


def told(points: Sequence[GrowthPoint]) -> str:
    """Give a curve as a sentence."""
    first, last = points[0], points[-1]
    grown = times(last.ns.value / first.ns.value) if first.ns.value else "?"
    took = f"{amount(first.ns.value)} to {amount(last.ns.value)}"
    return f"From {first.size:,} to {last.size:,}: {took}, {grown}"


def _across(points: Sequence[GrowthPoint], labels: float) -> Scale:
    # Sizes start at zero, which has no logarithm.
    high = max(points[-1].size, points[0].size + 1) + 1
    return Scale(points[0].size + 1, high, labels + 2 * _GAP, _WIDTH, logarithmic=True)


def _ticks(points: Sequence[GrowthPoint]) -> Iterator[tuple[float, str]]:
    for one in points:
        yield one.size + 1, f"{one.size:,}"


def _drawn(points: Sequence[GrowthPoint], across: Scale, up: Scale) -> Iterator[Markup]:
    places = [(across.at(one.size + 1), _height(up, one.ns.value)) for one in points]
    yield curve(places, "accent")
    for one, (x, y) in zip(points, places, strict=True):
        yield line(x, _height(up, one.ns.low), x, _height(up, one.ns.high), "stroke accent")
        yield dot(x, y, "disc", "accent", f"{one.size:,}: {amount(one.ns.value)}")


def _height(up: Scale, ns: float) -> float:
    return _HEAD + _HEIGHT - up.at(ns)
