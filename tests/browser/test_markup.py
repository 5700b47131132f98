"""What people wrote, shown in a real browser: nothing in it can do anything."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from edge.settings import Settings
from tests.support.app import RunningApp, make_settings, running_service
from tests.support.browser import chromium
from tests.support.databases import SqliteTemplate
from tests.support.stage import Seen, Stage, stage
from tests.support.xss_payloads import FAMILIES

# One browser, and so one loop, for all: each test has a context of its own in it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PAYLOADS = [payload for family in FAMILIES.values() for payload in family]
LONGEST_TITLE = 100


@pytest.fixture
def settings(sqlite_template: SqliteTemplate, tmp_path: Path) -> Settings:
    return make_settings(tmp_path / "data", sqlite_template.copy_to(tmp_path / "edge.db"))


@pytest_asyncio.fixture(loop_scope="module")
async def app(settings: Settings) -> AsyncIterator[RunningApp]:
    async with running_service(settings) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Stage]:
    async with stage(browser) as opened:
        yield opened


def harm_in(seen: Seen, title: str) -> Seen | None:
    """Give what was seen if it is more than text, formatting and links."""
    is_harmless = not seen.happened and not seen.broken and seen.attributes <= {"href", "rel"}
    return None if is_harmless and seen.title == title else seen


async def test_sanitised_markup_does_nothing(app: RunningApp, page: Stage) -> None:
    """Set by a script or part of the page, hovered and clicked: no script, no request, no name."""
    harmful = {}
    for payload in PAYLOADS:
        title = payload[:LONGEST_TITLE]
        body = {"title": title, "description": payload}
        answer = (await app.http.post("/safe-input", json=body)).json()
        seen = await page.show(answer["title"], answer["description"])
        if harm := harm_in(seen, title):
            harmful[payload] = (answer["description"], harm)
    assert not harmful


async def test_what_is_not_refused_does_nothing(app: RunningApp, page: Stage) -> None:
    """Text that was found to be without markup is harmless even where it is taken for HTML."""
    refused, harmful = 0, {}
    for payload in PAYLOADS:
        body = {"title": "a title", "description": payload, "markup": "refuse"}
        answer = await app.http.post("/safe-input", json=body)
        if answer.status_code == 400:
            refused += 1
        elif harm := harm_in(await page.show("a title", answer.json()["description"]), "a title"):
            harmful[payload] = harm
    assert not harmful
    assert refused >= 150


async def test_the_page_shows_what_markup_can_do(page: Stage) -> None:
    """Shown as it is, the first of each family runs or reaches out: the page would tell."""
    quiet = [
        family
        for family, payloads in FAMILIES.items()
        if not (await page.show("a title", payloads[0])).happened
    ]
    assert not quiet


async def test_formatting_and_links_survive(app: RunningApp, page: Stage) -> None:
    """What a description needs is still there, and its links lead where they led."""
    description = (
        "<p>5 &lt; 6, <b>bold</b>, <em>emphasis</em></p><ul><li>one</li></ul>"
        "<a href='https://evil.test/?a=1&amp;b=2'>further</a>"
    )
    body = {"title": "<b> & \u201cquotes\u201d", "description": description}
    answer = (await app.http.post("/safe-input", json=body)).json()
    seen = await page.show(answer["title"], answer["description"])

    assert harm_in(seen, body["title"]) is None
    assert answer["description"] == (
        "<p>5 &lt; 6, <b>bold</b>, <em>emphasis</em></p><ul><li>one</li></ul>"
        '<a href="https://evil.test/?a=1&amp;b=2" rel="nofollow noopener noreferrer">further</a>'
    )
