"""A report for a pull request: the verdict first, what changed open, the rest folded."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from benchmarks.report.bars import COLUMNS, beside, compared
from benchmarks.report.figures import amount, change, change_range, spread
from benchmarks.report.growth import curves, told
from benchmarks.report.markup import printable
from benchmarks.report.summary import (
    MARKS,
    base_ns,
    brief,
    changed,
    counts,
    facts,
    grouped,
    head_ns,
    name_of,
    remarks,
    unchanged,
)
from benchmarks.report.text_forest import HEADING, plot
from benchmarks.results import CaseResult, Comparison, Environment, Measured, Report

# A browser draws many blanks as one.
_AXIS: Final = f"`{HEADING.replace(' ', chr(0xA0))}`"
_PLAIN: Final = re.compile(r"[\w /.,:=+()%-]+", re.ASCII)


def markdown(result: Comparison | Report) -> str:
    """Give the report in GitHub's Markdown."""
    parts = _comparison(result) if isinstance(result, Comparison) else _run(result)
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """Give text that came from elsewhere as code: nothing in it is markup, a mention or a link.

    Plain text is a code span. Any other is written letter by letter as references, for a code
    span knows no way to hold a backtick or, in a table, every bar.
    """
    shown = printable(text).strip()
    if _PLAIN.fullmatch(shown):
        return f"`{shown}`"
    return f"<code>{''.join(one if one.isalnum() else f'&#{ord(one)};' for one in shown)}</code>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Give a table; the columns `right` are aligned to the right."""
    rules = ["---:" if at in right else "---" for at in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rules, *rows))


def measured_table(result: Report, cases: Iterable[Measured]) -> str:
    """Give what cases take, and their floors and peers."""
    rows = (_measured(result, case) for case in cases)
    return table(("case", "takes", "99 %", *COLUMNS), rows, right=(1, 2))


def facts_table(environment: Environment) -> str:
    """Give the machine and its state."""
    return table(("machine", ""), ((name, code(value)) for name, value in facts(environment)))


def _comparison(result: Comparison) -> Iterator[str]:
    mark = MARKS[result.verdict]
    title = f"### edge-bench: {mark.emoji} {result.verdict}"
    yield f"{title}: {counts(result)} ({'; '.join(remarks(result))})"
    yield f"{code(name_of(result.base))} → {code(name_of(result.head))}"
    if open_rows := changed(result.cases):
        yield _cases(open_rows)
    for case in open_rows:
        if case.error:
            yield f"- {code(case.id)}: {code(brief(case.error))}"
    if same := unchanged(result.cases):
        yield from _folded(f"{len(same)} ok", _cases(same))
    if result.dependencies:
        listed = "\n".join(f"- {code(one)}" for one in result.dependencies)
        yield from _folded(f"dependencies that changed: {len(result.dependencies)}", listed)
    yield from _folded("environment", facts_table(result.environment))


def _cases(cases: Iterable[CaseResult]) -> str:
    head = ("case", "base", "head", "change (99 % bounds)", _AXIS, "verdict")
    return table(head, map(_row, cases), right=(1, 2, 3))


def _row(case: CaseResult) -> Sequence[str]:
    base, head = (amount(of(case), case.unit) for of in (base_ns, head_ns))
    verdict = f"{MARKS[case.verdict].emoji} {case.verdict}{'' if case.gated else ' (not gated)'}"
    if case.ratio is None:
        return (code(case.id), base, head, "", "", verdict)
    shown = f"{change(case.ratio.value)} ({change_range(case.ratio)})"
    return (code(case.id), base, head, shown, f"`{plot(case.ratio)}`", verdict)


def _run(result: Report) -> Iterator[str]:
    failed = sum(case.error is not None for case in result.cases)
    yield f"### edge-bench: {len(result.cases) - failed} measured, {failed} failed"
    yield code(name_of(result.side))
    for group, cases in grouped(result.cases).items():
        yield f"**{code(group)}**"
        yield measured_table(result, cases)
    if grown := [f"- {code(points[0].curve)}: {told(points)}" for points in curves(result)]:
        yield "\n".join(grown)
    yield from _folded("environment", facts_table(result.environment))


def _measured(result: Report, case: Measured) -> Sequence[str]:
    if case.error:
        return (code(case.id), "❌ failed", "", code(brief(case.error)), "")
    found = compared(result, case)
    others = (", ".join(beside(found, relation, code)) for relation in ("floor", "peer"))
    return (code(case.id), amount(case.ns.value, case.unit), spread(case.ns), *others)


def _folded(summary: str, content: str) -> Iterator[str]:
    yield f"<details><summary>{summary}</summary>"
    yield content
    yield "</details>"
