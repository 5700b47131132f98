"""Each case beside its floors and its peers, as bars whose length is time or memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from benchmarks.report.drawing import Picture, Scale, bar, interval, line, room_for, text
from benchmarks.report.figures import times, times_range
from benchmarks.report.markup import Markup, shortened
from benchmarks.results import Interval, Measured, Ratio, Report

_WIDTH: Final = 420
_GAP: Final = 14
_HEAD: Final = 26
_ROW: Final = 20
_BAR: Final = 11
_AIR: Final = 1.04
_MOST: Final = 1.5  # of the longest bar: one interval that is very wide does not shorten the others

COLUMNS: Final = ("takes, of its floors", "peers take, of it")

Relation = Literal["floor", "edge", "peer"]
_ORDER: Final[dict[Relation, int]] = {"floor": 0, "edge": 1, "peer": 2}
_TONES: Final[dict[Relation, str]] = {"floor": "faint", "edge": "accent", "peer": "plain"}


class Bar(msgspec.Struct, frozen=True):
    """One bar: `part` is its time or memory in those of the case it stands beside.

    `multiple` is that of the slower to the faster, as people say it: the case takes so many times
    the floor, a peer so many times the case.
    """

    name: str
    relation: Relation
    part: Interval
    multiple: Interval


def beside(
    found: Iterable[Bar], relation: Relation, named: Callable[[str], str] = str
) -> list[str]:
    """Give the multiples of floors, or of peers, with their intervals; `named` writes a name."""
    return [
        f"{named(one.name)} {times(one.multiple.value)} ({times_range(one.multiple)})"
        for one in found
        if one.relation == relation
    ]


def compared(result: Report, case: Measured) -> list[Bar]:
    """Give the bars of a case, floors first and the slowest peer last; none where it has none."""
    ratios = [one for one in result.ratios if one.case == case.id and one.times.low > 0]
    if not ratios:
        return []
    one = Interval(1, 1, 1)
    own = Bar(case.id, "edge", one, one)
    others = [_other(one) for one in ratios]
    return sorted([own, *others], key=lambda one: (_ORDER[one.relation], one.part.value))


def bars(result: Report, name: str = "bars", group: str | None = None) -> Picture:
    """Draw the cases that have floors or peers, or those of one group."""
    chosen = [case for case in result.cases if group in (None, case.group)]
    panels = [found for case in chosen if (found := compared(result, case))]
    left = room_for(_label(one) for panel in panels for one in panel) + _GAP
    notes = room_for(_note(one) for panel in panels for one in panel)
    parts: list[Markup] = []
    top = 0.0
    for panel in panels:
        parts += _panel(panel, left, top)
        top += _HEAD + _ROW * len(panel)
    of_group = f" of {group}" if group else ""
    return Picture(
        name=name,
        title=f"Cases{of_group} beside floors and peers",
        description="The length of a bar is time or memory, each case on a scale of its own. Above "
        "it are floors, with how many times as much it takes; below it peers, with how many times "
        "as much they take.",
        width=left + _WIDTH + _GAP + notes,
        height=top + _GAP,
        parts=parts,
    )


def _other(ratio: Ratio) -> Bar:
    turned = Interval(1 / ratio.times.value, 1 / ratio.times.high, 1 / ratio.times.low)
    multiple = ratio.times if ratio.relation == "floor" else turned
    name = ratio.reference.removeprefix(f"{ratio.relation}/")
    return Bar(name, ratio.relation, turned, multiple)


def _label(one: Bar) -> str:
    name = shortened(one.name)
    return name if one.relation == "edge" else f"{one.relation} {name}"


def _note(one: Bar) -> str:
    if one.relation == "edge":
        return ""
    return f"{'case' if one.relation == 'floor' else 'peer'} takes {times(one.multiple.value)}"


def _panel(panel: Sequence[Bar], left: float, top: float) -> Iterator[Markup]:
    longest = min(max(one.part.high for one in panel), _MOST * max(one.part.value for one in panel))
    scale = Scale(0, longest * _AIR, left, _WIDTH)
    for row, one in enumerate(panel):
        y = top + _HEAD + _ROW * (row + 0.5)
        strong = "strong" if one.relation == "edge" else "muted"
        yield text(left - _GAP, y, _label(one), anchor="end", class_=strong)
        yield bar(scale, one.part.value, y, _BAR, _TONES[one.relation])
        if one.part.high > one.part.low:
            yield from interval(scale, one.part.low, one.part.high, y, "ink")
        yield text(left + _WIDTH + _GAP, y, _note(one), class_=strong)
    bottom = top + _HEAD + _ROW * len(panel)
    yield line(left, top + _HEAD, left, bottom, "zero")
