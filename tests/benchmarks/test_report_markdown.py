"""The report for a pull request."""

import re

import pytest
from markdown_it import MarkdownIt

from benchmarks.report import markdown
from benchmarks.report.markdown import code
from benchmarks.report.text_forest import plot
from benchmarks.results import Interval, Verdict
from tests.support.benchmark_results import case, comparison, every_verdict, ran, without_ratio

# What GitHub shows a comment by: CommonMark with HTML and tables.
RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table")

HOSTILE = [
    "<script>alert(1)</script>",
    "</code></td><img src=x onerror=alert(1)>",
    "a | b || c \\| d",
    "`a` ``b`` `",
    "@everyone, see #1 and https://evil.test/?a=1&b=2",
    "[click](https://evil.test) ![seen](https://evil.test/x.png)",
    "<!-- edge-bench -->",
    "**bold** _it_ ~~no~~ <details>",
    "&lt;b&gt; &#60;",
    "- item\n# heading\n\n| a |\n| - |\n",
    "  blanks  at  the  ends  ",
    "\u202emirrored \x1b[31mred\x00",
]


def test_the_verdict_comes_first() -> None:
    """What a reviewer needs is the first line."""
    first = markdown(every_verdict()).splitlines()[0]

    assert first == (
        "### edge-bench: ❌ regressed: 1 failed · 1 regressed · 1 inconclusive · 1 removed · "
        "1 new · 1 improved · 8 ok (A/A control ok, pair SD 1.2 %)"
    )


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_of_a_whole_comparison_is_named(verdict: Verdict) -> None:
    """By its word, beside the sign."""
    first = markdown(comparison([case("verify/a")], verdict)).splitlines()[0]

    assert re.match(rf"### edge-bench: \S+ {verdict}: 1 ok ", first)


def test_what_changed_is_open_and_the_rest_is_folded() -> None:
    """Only cases that are ok, dependencies and the machine have to be opened."""
    shown, *folded = markdown(every_verdict()).split("<details>")

    assert re.findall(r"^\| `(\S+)`", shown, re.MULTILINE) == [
        "refresh/sqlite",
        "verify/es256/cold",
        "http/forward_auth",
        "http/hello",
        "http/basic",
        "rate_limit/memory/counter",
    ]
    assert "| `verify/es256/cold` | 92.6 us | 97.4 us | +5.6 % (+4.4 % .. +6.8 %) |" in shown
    assert "`WrongResultError: other claims`" in shown
    assert [part.partition("\n")[0] for part in folded] == [
        "<summary>8 ok</summary>",
        "<summary>dependencies that changed: 1</summary>",
        "<summary>environment</summary>",
    ]


def test_what_limits_trust_is_said_beside_the_verdict() -> None:
    """A quick run, no pinning, stolen time, a control that is off or missing."""
    bad = every_verdict().environment
    off = case("verify/a", Verdict.INVALID)
    quick = comparison([case("verify/a")], quick=True, control=[])
    busy = comparison(
        [case("verify/a")],
        Verdict.INVALID,
        control=[off],
        environment=type(bad)("x", 2, "x", "x", "x", 1.0, 2.0, 0.12, pinned=False),
    )

    assert "(no A/A control; a quick screen: nothing was confirmed)" in markdown(quick)
    assert (
        "(A/A control off, pair SD 1.2 %; not pinned to a CPU, so margins are wider; "
        "other guests had 12.0 % of the time)"
    ) in markdown(busy)


@pytest.mark.parametrize("text", HOSTILE)
def test_names_and_errors_are_text(text: str) -> None:
    """Whatever a pull request calls its cases: one cell, and nothing in it works."""
    result = comparison([case(text, Verdict.REGRESSED), without_ratio(text, Verdict.FAILED, text)])
    shown = RENDERER.render(markdown(result))
    plain = RENDERER.render(markdown(comparison([case("a", Verdict.REGRESSED)])))
    cells = re.findall(r"<td[^>]*>(.*?)</td>", shown)

    assert set(re.findall(r"<(\w+)", shown)) <= set(re.findall(r"<(\w+)", plain)) | {"ul", "li"}
    assert len(cells) == 2 * 6 + 8 * 2
    assert code(text).startswith(("`", "<code>"))
    assert not set("@[]*<>|#!") & set(re.sub(r"&#\d+;|</?code>", "", code(text)))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_renderer_shows_the_very_text(text: str) -> None:
    """Nothing is lost but what cannot be printed, which is a blank."""
    page = RENDERER.render(f"| {code(text)} |\n| - |\n")
    shown = page.partition("<th>")[2].partition("</th>")[0]
    entities = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&"}
    for entity, letter in entities.items():
        shown = shown.replace(entity, letter)

    assert shown == f"<code>{''.join(c if c.isprintable() else ' ' for c in text).strip()}</code>"


PLOTS = [
    (Interval(1.0, 1.0, 1.0), "··········●··········"),
    (Interval(1.056, 1.044, 1.068), "··········│····├●┤···"),
    (Interval(0.99, 0.96, 1.03), "······├──●┼──┤·······"),
    (Interval(1.09, 1.05, 1.2), "··········│····├───●▸"),
    (Interval(0.5, 0.4, 0.6), "◂·········│··········"),
    (Interval(3.0, 2.0, 4.0), "··········│·········▸"),
    (Interval(1.0, 0.0, 5.0), "◂─────────●─────────▸"),
]


@pytest.mark.parametrize(("ratio", "shown"), PLOTS)
def test_a_line_of_text_is_a_forest_plot(ratio: Interval, shown: str) -> None:
    """A letter is about a percent; what lies beyond a tenth points on."""
    assert plot(ratio) == shown


def test_a_run_is_told_by_groups_with_multiples_of_floors_and_peers() -> None:
    """Each with its interval; what failed says why; curves are sentences."""
    shown = markdown(ran())

    assert shown.startswith("### edge-bench: 5 measured, 1 failed\n")
    assert (
        "| `verify/hs256/cold` | 8.04 us | ± 2.0 % | `primitive-hs256` 3.32 x (3.22 .. 3.42)"
        in shown
    )
    assert "`pyjwt-hs256` 6.99 x (6.79 .. 7.21) |" in shown
    assert (
        "| `rate_limit/redis/log/1_in_flight` | ❌ failed |  | `RedisError: it is away` |" in shown
    )
    assert "`revocation set`: From 0 to 100,000: 1.40 us to 2.95 us, 2.10 x" in shown
