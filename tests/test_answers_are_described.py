"""Each answer that Edge's routes gave in a run is in `/openapi.json`: looked at at its end."""

from pathlib import Path
from typing import Any, Final

from tests.support.answers import Answer, undescribed
from tests.support.runs import run_tests

ODD: Final = """
import httpx
from tests.support.answers import note

def test_that_gets_an_odd_answer():
    note(httpx.Response(418, request=httpx.Request("GET", "http://edge.test/livez")))
"""


def test_a_run_with_another_answer_fails(tmp_path: Path) -> None:
    """It names the answer."""
    run = run_tests(ODD, tmp_path, workers=0)

    assert "1 passed" in run.stdout, run.stdout + run.stderr
    assert run.returncode == 1
    assert "Answer(method='get', path='/livez', status='418', code='')" in run.stdout


def test_what_is_not_described_is_found() -> None:
    """Another status, and another code of a status that is there."""
    problem: dict[str, Any] = {"content": {"application/problem+json": {"examples": {"known": {}}}}}
    document = {"paths": {"/a/{b}": {"get": {"responses": {"200": {}, "404": problem}}}}}
    wrong = [Answer("get", "/a/1", "404", "other"), Answer("get", "/a/2", "500", "known")]
    right = [
        Answer("get", "/a/1", "200", ""),
        Answer("get", "/a/1", "404", "known"),
        Answer("post", "/a/1", "405", "method_not_allowed"),
        Answer("get", "/elsewhere", "404", "not_found"),
    ]

    assert list(undescribed(document, frozenset(wrong + right))) == wrong
