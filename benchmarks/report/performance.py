"""Figures of a document, written from a run: text stays, figures between markers are replaced.

    <!-- edge-bench: cases verify -->
    <!-- edge-bench: end -->

Between the two stands afterwards what the run found: `targets` what should be reached and what
was, `cases GROUP` the cases of a group beside their floors and peers, `growth` what each curve did,
`machine` where and when.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Final

from benchmarks.report.growth import curves, told
from benchmarks.report.markdown import code, facts_table, measured_table, table
from benchmarks.report.summary import grouped, name_of
from benchmarks.results import Report
from benchmarks.targets import Measure, Outcome, outcomes

_MARKER: Final = re.compile(r"^(<!-- edge-bench: (.*?) -->\n)", re.MULTILINE)
_END: Final = "end"
_TARGET_COLUMNS: Final = ("case", "beside", "target", "found", "99 %", "")
_WRITTEN: Final[Mapping[Measure, tuple[str, str, str]]] = {
    "speed": ("at least", ",.3g", "x as fast"),
    "cost": ("at most", ",.3g", "x as much"),
    "rate": ("at least", ",.0f", "a second"),
    "above_us": ("at most", ",.2f", "us more"),
}


class UnknownBlockError(Exception):
    """A marker asks for what the run does not have: old figures must not stay unnoticed."""

    def __init__(self, marker: str) -> None:
        said = "stands alone, or asks for what the run does not have"
        super().__init__(f"<!-- edge-bench: {marker} --> {said}")


def performance(result: Report, previous_text: str) -> str:
    """Give the document with the figures of this run.

    Raises:
        UnknownBlockError: a marker is not understood or stands alone, or the run lacks what it
            asks for.
    """
    # Text, then (marker, what it asks for, text) again and again.
    text, *rest = _MARKER.split(previous_text)
    asked = rest[1::3]
    for is_end, what in zip(cycle((False, True)), asked, strict=False):
        if (what == _END) is not is_end:
            raise UnknownBlockError(what)
    if len(asked) % 2:
        raise UnknownBlockError(asked[-1])
    parts = [text]
    for marker, what, after in zip(rest[0::3], asked, rest[2::3], strict=True):
        parts += [marker, after if what == _END else f"{_content(result, what)}\n"]
    return "".join(parts)


def _content(result: Report, what: str) -> str:
    kind, _, name = what.partition(" ")
    if what == "machine":
        return f"{code(name_of(result.side))}:\n\n{facts_table(result.environment)}"
    if what == "growth" and result.growth:
        rows = ((code(points[0].curve), told(points)) for points in curves(result))
        return table(("of", "what it takes"), rows)
    if what == "targets" and (found := outcomes(result)):
        return table(_TARGET_COLUMNS, map(_target, found), right=(2, 3))
    if kind == "cases" and (cases := grouped(result.cases).get(name)):
        return measured_table(result, cases)
    raise UnknownBlockError(what)


def _target(outcome: Outcome) -> Sequence[str]:
    target, found = outcome.target, outcome.found
    bound, form, unit = _WRITTEN[target.measure]
    beside = code(target.reference) if target.reference else ""
    value, low, high = (f"{one:{form}}" for one in (found.value, found.low, found.high))
    answer = outcome.answer if outcome.answer == "reached" else f"**{outcome.answer}**"
    aim = f"{bound} {target.bound:,g} {unit}"
    return (code(target.case), beside, aim, value, f"{low} .. {high}", answer)
