"""The tables of the page."""

from collections.abc import Collection, Iterable, Sequence

from benchmarks.report.bars import COLUMNS, beside, compared
from benchmarks.report.figures import amount, change, change_range, percent, spread
from benchmarks.report.markup import Markup, lines, tag
from benchmarks.report.summary import MARKS, base_ns, head_ns, ordered
from benchmarks.results import CaseResult, Measured, Report, Verdict

Cell = tuple[str, str]
"""A class and what is shown."""


def case_table(cases: Iterable[CaseResult], name: str = "All cases") -> Markup:
    """Give the table of a comparison; `name` is what a listener hears of it."""
    head = ("case", "base", "head", "change", "99 % bounds", "pair SD", "pairs", "verdict")
    caption = "Time, or memory, of an operation, and the change from base to head."
    return _table(name, caption, head, range(1, 7), map(_case_row, ordered(cases)))


def _case_row(case: CaseResult) -> list[Cell]:
    mark = MARKS[case.verdict]
    gate = "" if case.gated else " (not gated)"
    return [
        ("id", case.id),
        ("number", amount(base_ns(case), case.unit)),
        ("number", amount(head_ns(case), case.unit)),
        ("number", change(case.ratio.value) if case.ratio else ""),
        ("number", change_range(case.ratio) if case.ratio else ""),
        ("number", "" if case.pair_sd is None else percent(case.pair_sd)),
        ("number", f"{len(case.pairs)} ({case.stage})" if case.pairs else ""),
        (f"verdict {mark.tone}", f"{mark.symbol} {case.verdict}{gate}"),
    ]


def measured_table(result: Report, group: str, cases: Iterable[Measured]) -> Markup:
    """Give the table of a group that was measured in one tree."""
    head = ("case", "takes", "99 %", *COLUMNS)
    caption = "Time, or memory, of an operation; multiples with bounds, each sure to 99 %."
    rows = (_measured_row(result, case) for case in cases)
    return _table(group, caption, head, (1, 2), rows)


def _measured_row(result: Report, case: Measured) -> list[Cell]:
    if case.error:
        mark = MARKS[Verdict.FAILED]
        shown = f"{mark.symbol} {Verdict.FAILED}: {case.error}"
        return [("id", case.id), ("", ""), ("", ""), (f"wrap {mark.tone}", shown), ("", "")]
    found = compared(result, case)
    return [
        ("id", case.id),
        ("number", amount(case.ns.value, case.unit)),
        ("number", spread(case.ns)),
        ("wrap", _listed(beside(found, "floor"))),
        ("wrap", _listed(beside(found, "peer"))),
    ]


def _listed(found: Iterable[str]) -> Markup:
    return lines(*(tag("div", one) for one in found))


def scrolled(name: str, content: Markup) -> Markup:
    """Give what may be wider than a small screen a place where it can be moved, also by keys."""
    return tag("div", content, class_="scroll", role="group", aria_label=name, tabindex="0")


def _table(
    name: str,
    caption: str,
    head: Sequence[str],
    numbers: Collection[int],
    rows: Iterable[Sequence[Cell]],
) -> Markup:
    kinds = ["number" if at in numbers else "" for at in range(len(head))]
    named = [
        tag("th", cell, scope="col", class_=kind) for cell, kind in zip(head, kinds, strict=True)
    ]
    body = lines("", *map(_row, rows), "")
    table = tag(
        "table", tag("caption", caption), tag("thead", tag("tr", *named)), tag("tbody", body)
    )
    return scrolled(name, table)


def _row(cells: Sequence[Cell]) -> Markup:
    (kind, name), *others = cells
    first = tag("th", name, scope="row", class_=kind)
    return tag("tr", first, *(tag("td", shown, class_=kind) for kind, shown in others))
