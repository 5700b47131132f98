"""edge-bench as a user runs it, on a product whose operations take as long as it says."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.errors import StartError
from benchmarks.harness.process import Tree, Worker
from tests.benchmarks.conftest import Project

CASES = '''
"""Cases that give nanoseconds which nobody measured."""

import os
import signal
from contextlib import asynccontextmanager

import edge
from benchmarks.case import Case, WrongResultError

UNREADABLE = {}


def case(name, operation_ns, **more):
    @asynccontextmanager
    async def opened():
        operation_ns()

        async def batch(n):
            return n * operation_ns()

        yield batch

    return Case(id=name, open=opened, gated=True, **more)


def wrong():
    if edge.IS_WRONG:
        raise WrongResultError("41 is not 42")
    return 100


def wrong_before():
    if not edge.IS_WRONG:
        raise WrongResultError("41 is not 42")
    return 100


def crash():
    if edge.CRASHES:
        os.kill(os.getpid(), signal.SIGKILL)
    return 100


CASES = [
    case("same/one", lambda: 100, quick=True, of=["floor/bare", "peer/missing", "peer/other"]),
    case("same/two", lambda: 100, quick=True),
    case("changed/slower", lambda: edge.SLOWER_NS),
    case("changed/faster", lambda: edge.FASTER_NS),
    case("broken/wrong", wrong),
    case("broken/crash", crash),
    case("broken/before", wrong_before),
    case("grows/10", lambda: 100, growth=("keys", 10)),
    case("grows/100", lambda: 110, growth=("keys", 100)),
    case("new/attribute", lambda: edge.NEW_NS),
    case("old/removed", lambda: 100),
    case("floor/bare", lambda: 50),
    case("peer/other", lambda: 300),
    case("peer/missing", lambda: edge.NOBODY_HAS_THIS),
]
'''
BASE = "SLOWER_NS = 100\nFASTER_NS = 100\nIS_WRONG = False\nCRASHES = False\n"
HEAD = "SLOWER_NS = 105\nFASTER_NS = 95\nIS_WRONG = True\nCRASHES = True\nNEW_NS = 100\n"

FEW = ("--python", sys.executable, "--pairs", "2", "--confirm", "2")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A base, and a working tree that does everything that a head can do."""
    made = Project(tmp_path_factory.mktemp("bench") / "project")
    made.copy_benchmarks()
    made.write("requirements/bench.txt", "granian==2.8.6\n")
    made.write("benchmarks/cases/__init__.py", CASES)
    made.write("edge/__init__.py", BASE)
    made.commit()
    made.write("requirements/bench.txt", "granian==2.8.7\n")
    removed = "\n".join(line for line in CASES.splitlines() if "old/removed" not in line)
    made.write("benchmarks/cases/__init__.py", removed)
    made.write("edge/__init__.py", "from edge.untracked import *\n")
    made.write("edge/untracked.py", HEAD)
    return made


def verdicts(result: Any) -> dict[str, str]:  # noqa: ANN401
    return {case["id"]: case["verdict"] for case in result["cases"]}


@pytest.fixture(scope="module")
def everything(project: Project) -> tuple[int, Any, str]:
    done = project.bench("compare", *FEW, "--json", "-")
    return done.returncode, json.loads(done.stdout), done.stderr


def test_each_case_has_its_verdict(everything: tuple[int, Any, str]) -> None:
    """The code of the working tree against that of the base, by the benchmarks of the former."""
    code, result, said = everything
    assert verdicts(result) == {
        "same/one": "ok",
        "same/two": "ok",
        "changed/slower": "regressed",
        "changed/faster": "improved",
        "broken/wrong": "failed",
        "broken/crash": "failed",
        "broken/before": "failed",
        "grows/10": "ok",
        "grows/100": "ok",
        "new/attribute": "new",
        "old/removed": "removed",
    }
    assert (code, result["verdict"]) == (3, "failed")
    errors = {case["id"]: case["error"] for case in result["cases"]}
    assert errors["broken/wrong"] == "head: WrongResultError: 41 is not 42"
    assert "SIGKILL" in errors["broken/crash"]
    assert "NEW_NS" in errors["new/attribute"]
    assert "41 is not 42" in said  # with a trace


def test_a_suspicion_is_decided_on_fresh_pairs(everything: tuple[int, Any, str]) -> None:
    """Head and base have the same operations in a batch, also where one is slower."""
    _, result, _ = everything
    cases = {case["id"]: case for case in result["cases"]}
    assert cases["same/one"]["stage"] == "screen"
    slower = cases["changed/slower"]
    assert slower["stage"] == "confirm"
    assert slower["ratio"]["value"] == pytest.approx(1.05)
    assert slower["operations"] == 40_000  # in four milliseconds of base
    seeds = [{pair["seed"] for pair in cases[name]["pairs"]} for name in ("same/one", slower["id"])]
    assert len(seeds[0] | seeds[1]) == 4


def test_the_control_is_measured_and_the_machine_is_told(
    project: Project, everything: tuple[int, Any, str]
) -> None:
    """And what was compared, with the packages that differ."""
    _, result, _ = everything
    assert [(case["id"], case["verdict"]) for case in result["control"]] == [
        ("same/one", "ok"),
        ("same/two", "ok"),
    ]
    assert result["dependencies"] == ["granian 2.8.6 -> 2.8.7"]
    assert result["base"]["commit"] == result["head"]["commit"] == project.git("rev-parse", "HEAD")
    assert (result["base"]["dirty"], result["head"]["dirty"]) == (False, True)
    assert result["environment"]["cpus"] >= 1


@pytest.mark.parametrize(
    ("expression", "injected", "options", "code"),
    [
        ("same/one or removed", "", ["--allow-removed"], 0),
        ("slower or same/one", "", ["--quick"], 1),
        ("slower", "", ["--margin", "1%", "--strict"], 1),
        ("slower", "", ["--margin", "6%", "--target", "7%"], 0),
        # In real time: it has to be much, and two pairs would not do.
        ("same/one", "same/one:3", ["--quick"], 1),
    ],
)
def test_the_exit_code_tells_what_was_found(
    project: Project, expression: str, injected: str, options: list[str], code: int
) -> None:
    """0 not slower, 1 slower; what is a failure is above, and in the table of all verdicts."""
    few = FEW[:2] if "--quick" in options else FEW
    environment = {"EDGE_BENCH_INJECT": injected} if injected else {}
    done = project.bench("compare", *few, *options, "-k", expression, environment=environment)
    assert done.returncode == code, done.stdout + done.stderr


def test_two_commits_can_be_compared(project: Project) -> None:
    """What is in the working tree does not matter then."""
    done = project.bench("compare", "HEAD", "HEAD", *FEW, "-k", "slower or new", "--json", "-")
    result = json.loads(done.stdout)
    assert verdicts(result) == {"changed/slower": "ok", "new/attribute": "failed"}
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["compare", "nix"], {}, "no revision 'nix'"),
        (["compare", "HEAD", "HEAD", "-k", "nix", *FEW], {}, "-k 'nix'"),
        (["compare", "-k", "same and"], {}, "cannot be read"),
        (["compare", "--quick", "--all"], {}, "no --all"),
        (["compare", "--margin", "5%", "--target", "5%"], {}, "less than --target"),
        (["compare", "--margin", "x"], {}, "not a percentage"),
        (["compare", "--pairs", "1"], {}, "x>=2"),
        (["compare", "--json", "nowhere/x.json"], {}, "cannot be written"),
        (["compare", *FEW], {"EDGE_BENCH_INJECT": "nix:1.05"}, "not measured here: nix"),
        (["compare"], {"EDGE_BENCH_INJECT": "nix"}, "not CASE:FACTOR"),
        (["report", "benchmarks/case.py"], {}, "no result of edge-bench"),
        (["report", "nowhere.json"], {}, "does not exist"),
        (["list", "-k", "nix"], {}, "-k 'nix'"),
    ],
)
def test_nonsense_is_refused_with_reasons(
    project: Project, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    """Exit code 2, and no trace of Python."""
    done = project.bench(*arguments, environment=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_head_whose_cases_cannot_be_read_fails(project: Project, tmp_path: Path) -> None:
    """A gate must not pass because nothing ran."""
    broken = Project(tmp_path / "broken")
    broken.copy_benchmarks()
    broken.write("requirements/bench.txt", "")
    broken.write("edge/__init__.py", "")
    broken.write("benchmarks/cases/__init__.py", "CASES = []\nUNREADABLE = {'tokens': 'no edge.x'}")
    broken.commit()
    done = broken.bench("compare", "HEAD", "HEAD", *FEW)
    assert done.returncode == 3
    assert "tokens: no edge.x" in done.stderr


def test_a_run_measures_beside_floors_and_peers(project: Project) -> None:
    """As multiples; a peer that fails is named and the rest is measured."""
    done = project.bench("run", "--rounds", "2", "-k", "same/one or grows", "--json", "-")
    result = json.loads(done.stdout)
    assert done.returncode == 3
    assert {case["id"]: case["ns"]["value"] for case in result["cases"]} == pytest.approx(
        {
            "same/one": 100,
            "grows/10": 100,
            "grows/100": 110,
            "floor/bare": 50,
            "peer/other": 300,
            "peer/missing": 0,
        }
    )
    assert [
        (one["reference"], one["relation"], round(one["times"]["value"], 6))
        for one in result["ratios"]
    ] == [("floor/bare", "floor", 2.0), ("peer/other", "peer", 0.333333)]
    assert [(one["curve"], one["size"]) for one in result["growth"]] == [
        ("keys", 10),
        ("keys", 100),
    ]
    assert "NOBODY_HAS_THIS" in next(case["error"] for case in result["cases"] if case["error"])


def test_a_selftest_plays_comparisons_with_what_it_measured(project: Project) -> None:
    """Equal code that differs by nothing gives no false alarm."""
    done = project.bench("selftest", "--pairs", "4")
    assert "Comparisons with a false alarm: 0 of 1000" in done.stdout, done.stderr
    assert done.returncode in {0, 4}  # what is burnt is burnt in real time


def test_cases_are_listed(project: Project) -> None:
    """For people and for machines."""
    listed = project.bench("list").stdout.splitlines()
    assert listed[1].split() == [
        "same/one",
        "micro",
        "quick",
        "2%",
        "floor/bare,",
        "peer/missing,",
        "peer/other",
    ]
    assert len(json.loads(project.bench("list", "--json").stdout)) == len(listed) - 1
    assert len(project.bench("list", "-k", "grows").stdout.splitlines()) == 3


def test_help_shows_a_line_for_each_example(project: Project) -> None:
    """They can be copied."""
    shown = project.bench("--help").stdout.splitlines()
    assert any(line.strip().startswith("edge-bench compare --quick ") for line in shown)


def test_the_product_of_another_tree_is_not_measured(tmp_path: Path) -> None:
    """As one that is installed would be, if it came first."""
    bare = Project(tmp_path / "bare")
    bare.copy_benchmarks()
    bare.write("benchmarks/cases/__init__.py", "CASES = []")
    tree = Tree("head", sys.executable, bare.folder)
    with (
        Worker(tree, seed=1, cpu=None) as worker,
        pytest.raises(StartError, match="it would measure"),
    ):
        worker.greet()
