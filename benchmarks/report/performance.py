"""Figures of a document, written from a run: text stays, figures between markers are replaced.

    <!-- edge-bench: cases verify -->
    <!-- edge-bench: end -->

Between the two stands afterwards what the run found: `cases GROUP` the cases of a group beside
their floors and peers, `growth` what each curve did, `machine` where and when.
"""

import re
from typing import Final

from benchmarks.report.growth import curves, told
from benchmarks.report.markdown import code, facts_table, measured_table, table
from benchmarks.report.summary import grouped, name_of
from benchmarks.results import Report

_END: Final = "<!-- edge-bench: end -->"
_BLOCK: Final = re.compile(rf"(<!-- edge-bench: (\w+) ?(\S*) -->\n).*?({_END})", re.DOTALL)


class UnknownBlockError(Exception):
    """A marker asks for what the run does not have; its old figures must not stay."""


def performance(result: Report, previous_text: str) -> str:
    """Give the document with the figures of this run.

    Raises:
        UnknownBlockError: a marker is not understood, or the run lacks what it asks for.
    """
    return _BLOCK.sub(
        lambda found: f"{found[1]}{_content(result, *found.group(2, 3))}\n{found[4]}", previous_text
    )


def _content(result: Report, kind: str, name: str) -> str:
    if kind == "machine":
        return f"{code(name_of(result.side))}:\n\n{facts_table(result.environment)}"
    if kind == "growth" and result.growth:
        rows = ((code(points[0].curve), told(points)) for points in curves(result))
        return table(("of", "what it takes"), rows)
    if kind == "cases" and (cases := grouped(result.cases).get(name)):
        return measured_table(result, cases)
    raise UnknownBlockError(f"edge-bench: {kind} {name}".rstrip())
