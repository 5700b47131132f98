"""A report as one page of HTML: nothing is loaded, and nothing runs."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.report.bars import bars, compared
from benchmarks.report.drawing import THEME, Picture
from benchmarks.report.forest import forest, scatter
from benchmarks.report.growth import curves, growth
from benchmarks.report.markup import Markup, lines, tag
from benchmarks.report.summary import (
    MARKS,
    cautions,
    counts,
    facts,
    grouped,
    name_of,
    ordered,
    remarks,
)
from benchmarks.report.tables import case_table, measured_table, scrolled
from benchmarks.results import CaseResult, Comparison, Environment, Measured, Report

_STYLE: Final = Markup(THEME + Path(__file__).with_name("page.css").read_text())
# Should anything slip through that is markup, no browser loads or runs it.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_BEFORE: Final = Markup(
    '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    '<meta name="viewport" content="width=device-width">\n'
    '<link rel="icon" href="data:,">'
)
_EXPLAINED: Final = (
    "The unit is a pair of processes that take turns on one CPU. A change counts where a bound "
    "that is sure to 99 % lies beyond the margin. "
)


def html(result: Comparison | Report) -> str:
    """Give the report as a page."""
    return _comparison(result) if isinstance(result, Comparison) else _run(result)


def _comparison(result: Comparison) -> str:
    mark = MARKS[result.verdict]
    title = f"edge-bench: {result.verdict}"
    verdict = tag("span", f"{mark.symbol} {result.verdict}", class_=mark.tone)
    head = lines(
        tag("h1", "edge-bench: ", verdict),
        tag("p", counts(result), class_="lead"),
        tag("p", f"{name_of(result.base)} → {name_of(result.head)}"),
        tag("p", "; ".join(remarks(result)), class_="note"),
    )
    sections = [*_failures(result.cases)]
    if any(case.ratio for case in result.cases):
        sections.append(_section("changes", "Changes", _figure(forest(result))))
    sections.append(_section("cases", "All cases", case_table(result.cases)))
    if any(case.ratio for case in result.cases):
        sections.append(_section("pairs", "Pair by pair", _figure(scatter(result))))
    if result.control:
        told = "Base beside base: what is seen here is noise."
        table = case_table(result.control, "control")
        sections.append(_section("control", "A/A control", tag("p", told), table))
    if result.dependencies:
        listed = tag("ul", *(tag("li", one) for one in result.dependencies))
        sections.append(_section("dependencies", "Dependencies that changed", listed))
    return _page(title, head, [*sections, _environment(result.environment)], _EXPLAINED)


def _run(result: Report) -> str:
    failed = sum(case.error is not None for case in result.cases)
    head = lines(
        tag("h1", "edge-bench: measured"),
        tag("p", f"{len(result.cases) - failed} cases, {failed} failed", class_="lead"),
        tag("p", name_of(result.side)),
        *(tag("p", one, class_="note") for one in cautions(result.environment)),
    )
    groups = enumerate(grouped(result.cases).items(), 1)
    sections = [_group(result, number, *found) for number, found in groups]
    found = [
        _figure(growth(points, f"growth-{number}"))
        for number, points in enumerate(curves(result), 1)
    ]
    if found:
        sections.append(_section("growth", "Growth", tag("div", *found, class_="beside")))
    return _page("edge-bench: measured", head, [*sections, _environment(result.environment)])


def _group(result: Report, number: int, group: str, cases: Sequence[Measured]) -> Markup:
    parts = [measured_table(result, group, cases)]
    if any(compared(result, case) for case in cases):
        parts.append(_figure(bars(result, f"bars-{number}", group)))
    return _section(f"group-{number}", group, *parts)


def _failures(cases: Iterable[CaseResult]) -> Iterator[Markup]:
    failed = [
        tag("li", tag("code", case.id), f": {case.error}", class_="error")
        for case in ordered(cases)
        if case.error
    ]
    if failed:
        yield _section("failures", "What failed", tag("ul", *failed))


def _environment(environment: Environment) -> Markup:
    pairs = (part for name, value in facts(environment) for part in _fact(name, value))
    return _section("environment", "Environment", tag("dl", *pairs))


def _fact(name: str, value: str) -> tuple[Markup, Markup]:
    return tag("dt", name), tag("dd", value)


def _section(name: str, title: str, *parts: Markup) -> Markup:
    heading = tag("h2", title, id=name)
    return tag("section", lines("", heading, *parts, ""), aria_labelledby=name)


def _figure(picture: Picture) -> Markup:
    told = tag("figcaption", f"{picture.title}. {picture.description}")
    return tag("figure", told, scrolled(picture.title, picture.inline()))


def _page(title: str, head: Markup, sections: Sequence[Markup], explained: str = "") -> str:
    footer = f"{explained}Made by edge-bench; docs/benchmarks.md says how to read it."
    return lines(
        _BEFORE,
        tag("title", title),
        tag("style", _STYLE),
        tag("body", lines("", tag("header", head), tag("main", *sections), tag("footer", footer))),
        Markup("</html>\n"),
    )
