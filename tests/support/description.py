"""Whether all answers that the tests of one process got are in `/openapi.json`."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.answers import seen, undescribed
from tests.support.app import make_settings, running_service

# Limits everything, and refuses while they cannot be counted: some tests have such policies.
_POLICY: Final = {"name": "all", "limit": 1000, "window_s": 60, "on_outage": "deny"}


def check_all() -> None:
    """Fail the last test of this process if a route gave an answer that is not described."""
    answers = seen()
    if not answers:
        return
    # With a factory the runner leaves the current event loop alone.
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner,
    ):
        document = runner.run(_document(Path(folder)))
    if missing := [str(answer) for answer in undescribed(document, answers)]:
        pytest.fail("\n".join(["not described:", *missing]), pytrace=False)


async def _document(folder: Path) -> Mapping[str, Any]:
    policies = json.dumps([_POLICY])
    settings = make_settings(folder, f"sqlite:///{folder}/edge.db", RATELIMIT_POLICIES=policies)
    async with running_service(settings) as app:
        document: Mapping[str, Any] = (await app.get("/openapi.json")).json()
    return document
