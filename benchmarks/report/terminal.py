"""A report for a terminal: a table with the verdict first, in colour where that is wanted."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from benchmarks.report.bars import COLUMNS, beside, compared
from benchmarks.report.figures import amount, change, change_range, spread
from benchmarks.report.growth import curves, told
from benchmarks.report.markup import printable
from benchmarks.report.summary import (
    MARKS,
    base_ns,
    brief,
    counts,
    facts,
    grouped,
    head_ns,
    name_of,
    ordered,
    remarks,
)
from benchmarks.report.text_forest import HEADING, plot
from benchmarks.results import CaseResult, Comparison, Measured, Report, Verdict

# SGR parameters of ECMA-48: of the sixteen colours, which every terminal maps for its background.
_COLOURS: Final = {"bad": "1;31", "good": "32", "warn": "33", "plain": "0", "faint": "2"}

Row = Sequence[str]


def terminal(result: Comparison | Report, *, colour: bool = False) -> str:
    """Give the report; `colour` is for a terminal whose user did not set NO_COLOR."""
    said = _comparison(result) if isinstance(result, Comparison) else _run(result)
    lines = (_painted(line, tone) if colour else line for line, tone in said)
    return "\n".join(lines) + "\n"


def _comparison(result: Comparison) -> Iterator[tuple[str, str]]:
    mark = MARKS[result.verdict]
    yield f"{mark.symbol} {result.verdict.upper()}: {counts(result)}", mark.tone
    yield printable(f"{name_of(result.base)} -> {name_of(result.head)}"), "plain"
    yield "; ".join(remarks(result)), "faint"
    yield "", "plain"
    cases = ordered(result.cases)
    head = ("case", "base", "head", "change", "99 % bounds", HEADING, "verdict")
    table = _aligned([head, *map(_row, cases)], right=(1, 2, 3))
    tones = ["faint", *(MARKS[case.verdict].tone for case in cases)]
    yield from zip(table, tones, strict=True)
    for case in cases:
        if case.error:
            yield printable(f"{case.id}: {brief(case.error)}"), MARKS[Verdict.FAILED].tone
    for changed in result.dependencies:
        yield printable(f"dependency: {changed}"), "plain"


def _row(case: CaseResult) -> Row:
    mark = MARKS[case.verdict]
    base, head = (amount(of(case), case.unit) for of in (base_ns, head_ns))
    verdict = f"{mark.symbol} {case.verdict}{'' if case.gated else ' (not gated)'}"
    if case.ratio is None:
        return (printable(case.id), base, head, "", "", "", verdict)
    shown = (change(case.ratio.value), change_range(case.ratio), plot(case.ratio))
    return (printable(case.id), base, head, *shown, verdict)


def _run(result: Report) -> Iterator[tuple[str, str]]:
    yield printable(f"Measured {name_of(result.side)}"), "plain"
    machine = "; ".join(f"{name}: {value}" for name, value in facts(result.environment))
    yield printable(machine), "faint"
    for group, cases in grouped(result.cases).items():
        yield "", "plain"
        head = (printable(group), "takes", "", *COLUMNS)
        table = _aligned([head, *(_measured(result, case) for case in cases)], right=(1, 2))
        tones = ["faint", *("bad" if case.error else "plain" for case in cases)]
        yield from zip(table, tones, strict=True)
    for points in curves(result):
        yield printable(f"{points[0].curve}: {told(points)}"), "plain"


def _measured(result: Report, case: Measured) -> Row:
    if case.error:
        return (printable(case.id), "failed", "", printable(brief(case.error)), "")
    found = compared(result, case)
    others = (", ".join(beside(found, relation, printable)) for relation in ("floor", "peer"))
    return (printable(case.id), amount(case.ns.value, case.unit), spread(case.ns), *others)


def _aligned(rows: Sequence[Row], right: Collection[int]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _painted(line: str, tone: str) -> str:
    return f"\033[{_COLOURS[tone]}m{line}\033[0m" if line else line
