"""What is made of the results of a measurement: for people, for a pull request, for other tools."""

from benchmarks.report.bars import bars
from benchmarks.report.export import Format, export
from benchmarks.report.forest import forest
from benchmarks.report.markdown import markdown
from benchmarks.report.page import html
from benchmarks.report.performance import UnknownBlockError, performance
from benchmarks.report.terminal import terminal
from benchmarks.results import Comparison, Report

__all__ = [
    "Format",
    "UnknownBlockError",
    "export",
    "html",
    "markdown",
    "performance",
    "svg",
    "terminal",
]


def svg(result: Comparison | Report) -> str:
    """Give a picture as a file: changes as a forest plot, or cases beside floors and peers."""
    return (forest(result) if isinstance(result, Comparison) else bars(result)).file()
