"""Each answer that Edge's routes gave in this run is in `/openapi.json`; runs at the end."""

import json
from pathlib import Path
from typing import Any

from tests.support.answers import Answer, seen, undescribed
from tests.support.app import make_settings, running_service
from tests.support.databases import SqliteTemplate

# Limits everything, and refuses while they cannot be counted: some tests have such policies.
POLICY = {"name": "all", "limit": 1000, "window_s": 60, "on_outage": "deny"}


async def test_every_answer_is_described(sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
    """With its status, and with its code where it has one."""
    url = sqlite_template.copy_to(tmp_path / "edge.db")
    settings = make_settings(tmp_path, url, RATELIMIT_POLICIES=json.dumps([POLICY]))
    answers = seen()
    async with running_service(settings) as app:
        document = (await app.get("/openapi.json")).json()

    assert list(undescribed(document, answers)) == []


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
