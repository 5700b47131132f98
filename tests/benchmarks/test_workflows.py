"""The workflows that compare a pull request: what they may do, and what they say to whom."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from tests.support.checkers import ROOT, run
from tests.support.requirements import missing

WORKFLOWS: Final = ROOT / ".github/workflows"
ALL: Final = sorted(WORKFLOWS.glob("*.yml"))

MARKER: Final = "<!-- edge-bench -->"
SHA: Final = "6f5e4d3c"
# Answers from files that the test wrote, and notes what it was asked and sent.
GH: Final = """#!/bin/sh
echo "$*" >> asked
case "$*" in
*pulls*) cat pulls ;;
*download*) test -d artifact && cp -R artifact result ;;
*--paginate*) cat comments ;;
*--input*) cat comment.json > sent ;;
esac
"""


def read(name: str) -> dict[str, Any]:
    """Give a workflow; YAML 1.1 takes its `on` for a boolean."""
    text = (WORKFLOWS / name).read_text().replace("\non:", '\n"on":')
    return msgspec.yaml.decode(text, type=dict[str, Any])


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def script(name: str, job: str) -> str:
    """Give what the last step of a job runs."""
    text: str = read(name)["jobs"][job]["steps"][-1]["run"]
    return text


def test_the_strictest_checkers_find_nothing() -> None:
    """GitHub would take each workflow, and an audit has nothing to say about them."""
    run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *ALL)
    run("zizmor", "--offline", "--strict-collection", "--persona=pedantic", ROOT / ".github")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_no_text_of_others_becomes_part_of_a_script(path: Path) -> None:
    """Titles and branch names reach a script as variables, never as its text."""
    for step in steps(read(path.name)):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_no_job_may_do_more_than_it_must(path: Path) -> None:
    """A workflow reads at most; no checkout leaves its token behind; all end some time."""
    workflow = read(path.name)

    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_code_of_a_pull_request_runs_without_rights() -> None:
    """The job that measures it may read, and is not started with secrets."""
    workflow = read("bench.yml")

    assert set(workflow["on"]) == {"pull_request"}
    assert "permissions" not in workflow["jobs"]["compare"]
    assert workflow["jobs"]["verdict"]["permissions"] == {"pull-requests": "read"}
    assert not any("uses" in step for step in workflow["jobs"]["verdict"]["steps"])
    assert "secrets." not in (WORKFLOWS / "bench.yml").read_text()


def test_who_may_write_runs_no_code_of_a_pull_request() -> None:
    """The workflow that comments takes no action, checks nothing out, calls only `gh` and `jq`."""
    workflow = read("bench-comment.yml")
    (job,) = workflow["jobs"].values()

    assert workflow["permissions"] == {}
    assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert [step.keys() & {"uses", "run"} for step in job["steps"]] == [{"run"}]
    assert not re.search(r"checkout|git |python|make|pip|source|eval", job["steps"][0]["run"])


class Site:
    """A folder with a `gh` of its own, in which the steps of workflows run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        gh = folder / "bin/gh"
        gh.parent.mkdir()
        gh.write_text(GH)
        gh.chmod(0o755)
        self.put("pulls", [pull()])
        self.put("comments", [])

    def put(self, name: str, content: object) -> None:
        (self.folder / name).write_text(json.dumps(content))

    def report(self, text: str | bytes) -> None:
        path = self.folder / "artifact/result.md"
        path.parent.mkdir()
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def run(self, text: str, **variables: str) -> int:
        """Run a step as GitHub runs bash; gives its exit code."""
        step = read("bench-comment.yml")["jobs"]["comment"]["steps"][0]
        fixed = {name: value for name, value in step["env"].items() if "${{" not in value}
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "GH_REPO": "o/r",
            "RUN_ID": "7",
            "RUN_URL": "https://github.test/o/r/actions/runs/7",
            "HEAD_SHA": SHA,
            "HEAD": "someone:branch",
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
        done = subprocess.run(
            command, env=environment | fixed | variables, cwd=self.folder, check=False
        )
        return done.returncode

    @property
    def asked(self) -> str:
        path = self.folder / "asked"
        return path.read_text() if path.exists() else ""

    @property
    def sent(self) -> str | None:
        """The text of the comment that was sent."""
        path = self.folder / "sent"
        return json.loads(path.read_text())["body"] if path.exists() else None


def pull(number: int = 12, sha: str = SHA, labels: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"number": number, "head": {"sha": sha}, "labels": [{"name": one} for one in labels]}


def comment(id_: int, body: str, login: str = "github-actions[bot]") -> dict[str, Any]:
    return {"id": id_, "body": body, "user": {"login": login}}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    if shutil.which("jq") is None:
        missing("jq", "apt-get install jq")
    return Site(tmp_path)


COMMENT: Final = script("bench-comment.yml", "comment")


def test_the_first_result_becomes_a_comment(site: Site) -> None:
    """As it was reported, below a marker and above where it is from."""
    site.report("### edge-bench: ✅ ok\n\n| a | `└●┘` |\n")

    assert site.run(COMMENT) == 0
    assert "-X POST repos/o/r/issues/12/comments" in site.asked
    assert site.sent == (
        f"{MARKER}\n### edge-bench: ✅ ok\n\n| a | `└●┘` |\n\n\nReported by the code of this pull "
        "request in [this run](https://github.test/o/r/actions/runs/7), which has the page with "
        "all figures."
    )


def test_the_next_result_takes_its_place(site: Site) -> None:
    """Only a comment of the workflow itself is written anew, whoever else uses the marker."""
    site.put(
        "comments",
        [
            comment(1, MARKER, login="someone"),
            comment(2, f"{MARKER}\nbefore"),
            comment(3, MARKER, login="someone"),
            comment(4, f"about {MARKER}"),
        ],
    )
    site.report("now")

    assert site.run(COMMENT) == 0
    assert "-X PATCH repos/o/r/issues/comments/2 " in site.asked
    assert "POST" not in site.asked


@pytest.mark.parametrize("pulls", [[], [pull(sha="another")]])
def test_a_result_that_is_no_longer_asked_for_is_dropped(site: Site, pulls: list[object]) -> None:
    """Of a pull request that is closed, or whose head has moved on."""
    site.put("pulls", pulls)
    site.report("late")

    assert site.run(COMMENT) == 0
    assert site.sent is None


def test_the_pull_request_is_the_one_that_ends_in_the_commit(site: Site) -> None:
    """Not the one that the result names, and not the first of a branch."""
    site.put("pulls", [pull(11, "another"), pull(12), pull(13, "third")])
    site.report("for number 1")

    assert site.run(COMMENT) == 0
    assert "issues/12/comments" in site.asked


def test_a_run_without_a_result_says_nothing(site: Site) -> None:
    """It failed before it measured; its own job is red."""
    assert site.run(COMMENT) == 0
    assert site.sent is None


def test_a_result_is_a_file(site: Site) -> None:
    """A link would show what lies elsewhere on the machine that may write."""
    (site.folder / "secret").write_text("secret")
    (site.folder / "artifact").mkdir()
    (site.folder / "artifact/result.md").symlink_to("../secret")

    assert site.run(COMMENT) == 0
    assert site.sent is None


@pytest.mark.parametrize("report", ["●" * 100_000, b"\xff\x00" * 100_000, "@" * 100_000])
def test_a_result_of_any_size_and_kind_fits_and_calls_nobody(
    site: Site, report: str | bytes
) -> None:
    """GitHub takes 65,536 letters; what is no text is shown as such, and names are not called."""
    site.report(report)

    assert site.run(COMMENT) == 0
    assert site.sent is not None
    assert len(site.sent) < 65_536
    assert not re.search(r"@[^\u200b]", site.sent)
    assert site.sent.endswith("all figures.")


def test_a_hostile_branch_is_a_name(site: Site) -> None:
    """It is asked for as it is, and runs nothing."""
    hostile = "someone:$(touch ran);`touch ran`\"'"
    site.report("text")

    assert site.run(COMMENT, HEAD=hostile) == 0
    assert f"-f head={hostile}" in site.asked
    assert not (site.folder / "ran").exists()


VERDICT: Final = script("bench.yml", "verdict")
ACCEPTED: Final = ("bench:accept",)
VERDICTS: Final[list[tuple[str, tuple[str, ...], int]]] = [
    ("0", (), 0),
    ("1", (), 1),
    ("1", ACCEPTED, 0),
    ("1", ("bench:accepted", "not-bench:accept"), 1),
    ("2", ACCEPTED, 2),
    ("3", ACCEPTED, 3),
    ("4", ACCEPTED, 4),
    ("", ACCEPTED, 3),
    ("0; true", ACCEPTED, 2),
]


@pytest.mark.parametrize(("code", "labels", "ends"), VERDICTS)
def test_the_label_accepts_that_it_is_slower_and_nothing_else(
    site: Site, code: str, labels: tuple[str, ...], ends: int
) -> None:
    """A case that fails, a noisy machine, or nothing measured stays red."""
    site.put("pulls", pull(labels=labels))

    assert site.run(VERDICT, CODE=code, PULL_REQUEST="repos/o/r/pulls/12") == ends


def test_an_accepted_result_says_so(site: Site) -> None:
    """Who reads the comment sees that somebody decided."""
    site.put("pulls", [pull(labels=ACCEPTED)])
    site.report("slower")

    assert site.run(COMMENT) == 0
    assert site.sent is not None
    assert site.sent.startswith(f"{MARKER}\nAccepted by the label `bench:accept`.\n\nslower")
