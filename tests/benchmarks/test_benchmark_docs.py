"""docs/benchmarks.md and docs/performance.md say what is true."""

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from benchmarks.cases import CASES
from benchmarks.cli import main
from benchmarks.report import markdown, performance
from benchmarks.results import GrowthPoint, Interval, Ratio, Report, Verdict
from benchmarks.selection import FLOOR, PEER, parse
from benchmarks.targets import TARGETS
from tests.support.benchmark_results import case, comparison, measured, ran
from tests.support.checkers import ROOT, run

PAGE: Final = (ROOT / "docs/benchmarks.md").read_text()
BLOCKS: Final = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FIGURES: Final = (ROOT / "docs/performance.md").read_text()
SCRIPTS: Final = re.findall(r"^```sh\n(.*?)^```$", PAGE + FIGURES, re.MULTILINE | re.DOTALL)


def test_the_sample_is_what_a_pull_request_gets() -> None:
    """Letter by letter, up to what is folded."""
    noisy = case(
        "bearer/role", Verdict.INCONCLUSIVE, 0.024, ratio=Interval(1.024, 0.96, 1.09), margin=0.03
    )
    slower = case("verify/es256/cold", Verdict.REGRESSED, 0.056)
    result = comparison([slower, noisy, case("verify/hs256/cold")], Verdict.REGRESSED)
    (sample,) = (text for kind, text in BLOCKS if kind == "markdown")

    assert markdown(result).startswith(f"{sample}\n<details>")


def test_every_verdict_is_explained() -> None:
    """Whoever sees one in a report finds it on the page."""
    explained = "\n".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))

    assert {one for one in Verdict if f"`{one}`" not in explained} == set()


@pytest.mark.parametrize("text", SCRIPTS)
def test_a_shell_understands_each_example(text: str, tmp_path: Path) -> None:
    """Nothing is left open."""
    script = tmp_path / "example.sh"
    script.write_text(text)

    assert run("sh", "-n", script) == ""


def test_gitlab_would_take_the_example(tmp_path: Path) -> None:
    """It is as the schema of GitLab says."""
    (example,) = (text for kind, text in BLOCKS if kind == "yaml")
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text(example)
    run("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", path)


def test_the_workflow_is_what_the_page_says() -> None:
    """Label, jobs and files have the names that are given."""
    workflow = (ROOT / ".github/workflows/bench.yml").read_text()

    assert "grep -qxF bench:accept" in workflow
    assert "name: Verdict" in workflow
    assert all(f"--{kind} result/" in workflow for kind in ("json", "markdown", "svg", "html"))


def commands() -> list[list[str]]:
    """Give what is said to `edge-bench` on the pages and in the workflow."""
    workflow = (ROOT / ".github/workflows/bench.yml").read_text()
    text = "\n".join([*SCRIPTS, workflow]).replace("\\\n", "")
    return [shlex.split(one) for one in re.findall(r"\.venv/bin/edge-bench ([^|\n]+)", text)]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_edge_bench_understands_each_command(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands and options are those that it has; nothing is measured here."""
    monkeypatch.chdir(tmp_path)
    for folder in ("docs", "result"):
        (tmp_path / folder).mkdir()
    for file in ("result.json", "run.json", "docs/performance.md"):
        (tmp_path / file).touch()

    context = main.commands[command[0]].make_context(command[0], command[1:])
    fits = parse(context.params.get("expression") or "/")
    assert any(fits(one.id) for one in CASES)


def test_a_run_fills_all_tables() -> None:
    """Each marker asks for what there is, and no case of Edge is without a table."""
    cases = [measured(one.id, 1000.0) for one in CASES]
    ratios = [Ratio(one.id, other, "floor", Interval(2, 2, 2)) for one in CASES for other in one.of]
    growth = [GrowthPoint(*one.growth, Interval(1, 1, 1)) for one in CASES if one.growth]
    whole = Report(
        environment=ran().environment, side=ran().side, cases=cases, ratios=ratios, growth=growth
    )
    written = performance(whole, FIGURES)

    shown = {one.id for one in CASES if f"| `{one.id}` | 1.00 us" in written}
    assert shown == {one.id for one in CASES if one.group not in (FLOOR, PEER, "growth")}
    assert written.count("| **missed** |") + written.count("| reached |") == len(TARGETS)
