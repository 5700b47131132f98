"""Figures in documents are written by the tool."""

import pytest

from benchmarks.report import UnknownBlockError, performance
from tests.support.benchmark_results import ran

DOCUMENT = """# Performance

Why verifying takes what it takes.

<!-- edge-bench: cases verify -->
| before | 9.99 us |
<!-- edge-bench: end -->

Text between.

<!-- edge-bench: growth -->
<!-- edge-bench: end -->
<!-- edge-bench: machine -->
<!-- edge-bench: end -->
"""


def test_figures_are_replaced_and_text_stays() -> None:
    """Between markers stands what the run found, and nothing of what was found before."""
    written = performance(ran(), DOCUMENT)

    assert "Why verifying takes what it takes." in written
    assert "Text between." in written
    assert "9.99 us" not in written
    assert "| `verify/hs256/cold` | 8.04 us | ± 2.0 % | `primitive-hs256` 3.32 x" in written
    assert "| `revocation set` | From 0 to 100,000: 1.40 us to 2.95 us, 2.10 x |" in written
    assert "| CPU | `AMD EPYC, 2 of them` |" in written
    assert written.count("<!-- edge-bench:") == DOCUMENT.count("<!-- edge-bench:")


def test_writing_it_again_changes_nothing() -> None:
    """So a test can hold a document against the run it was made of."""
    written = performance(ran(), DOCUMENT)

    assert performance(ran(), written) == written


@pytest.mark.parametrize("marker", ["cases signing", "cases", "machines", "growth of"])
def test_old_figures_do_not_stay_unnoticed(marker: str) -> None:
    """A marker that the run cannot fill is an error that names it."""
    document = f"<!-- edge-bench: {marker} -->\n| old |\n<!-- edge-bench: end -->\n"

    with pytest.raises(UnknownBlockError, match=f"edge-bench: {marker}"):
        performance(ran(), document)


@pytest.mark.parametrize(
    "markers",
    [
        ["growth"],
        ["end"],
        ["growth", "machine", "end"],
        ["growth", "machine", "end", "end"],
        ["growth", "end", "end"],
    ],
)
def test_markers_come_in_pairs(markers: list[str]) -> None:
    """Text is never taken for figures, and figures never for text."""
    document = "".join(f"<!-- edge-bench: {marker} -->\ntext\n" for marker in markers)

    with pytest.raises(UnknownBlockError):
        performance(ran(), document)
