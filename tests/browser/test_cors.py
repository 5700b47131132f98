"""CORS, framing and CSP as a real browser takes them: pages of two origins call a real Edge."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route

from tests.support.app import TEST_ENVIRONMENT
from tests.support.browser import chromium
from tests.support.secrets import remember
from tests.support.server import EdgeServer
from tests.support.site import Site, site

# One browser, and so one loop, for all: starting it takes longer than what is tested.
pytestmark = [pytest.mark.server, pytest.mark.asyncio(loop_scope="module")]

# What a page gets of an answer, or how the browser said no.
_CALL: Final = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options)
        const body = await answer.text()
        return {status: answer.status, fields: Object.fromEntries(answer.headers), body}
    } catch (error) {
        return {refused: error.name}
    }
}"""
_REFUSED: Final = {"refused": "TypeError"}
_FRAME: Final = """([url, policy]) => new Promise((resolve) => {
    const frame = document.createElement("iframe")
    if (policy !== null) frame.sandbox = policy
    addEventListener("message", (event) => resolve(event.data))
    frame.srcdoc = `<script>
        fetch("${url}").then((answer) => answer.status, (error) => error.name)
            .then((outcome) => parent.postMessage([origin, outcome], "*"))
    </` + `script>`
    document.body.append(frame)
})"""


@pytest.fixture(scope="module")
def pages() -> Iterator[Site]:
    with site() as running:
        yield running


@pytest.fixture(scope="module")
def edge(pages: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeServer]:
    """Edge with one origin allowed, a path that all may read, and one that is soon throttled."""
    everybody = {"paths": ["/.well-known/*"], "allow_origins": ["*"]}
    few = {"name": "few", "limit": 1, "window_s": 3600, "paths": ["/nowhere"]}
    environment = {
        **TEST_ENVIRONMENT,
        "EDGE_CORS_ALLOW_ORIGINS": pages.origin("app.localhost"),
        "EDGE_CORS_ALLOW_CREDENTIALS": "true",
        "EDGE_CORS_POLICIES": json.dumps([everybody]),
        "EDGE_RATELIMIT_POLICIES": json.dumps([few]),
    }
    folder = tmp_path_factory.mktemp("cors")
    with EdgeServer(environment, folder, "--demo") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def allowed(browser: Browser, pages: Site) -> AsyncIterator[Page]:
    async with _page(browser, pages.origin("app.localhost")) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def refused(browser: Browser, pages: Site) -> AsyncIterator[Page]:
    async with _page(browser, pages.origin("evil.localhost")) as page:
        yield page


@asynccontextmanager
async def _page(browser: Browser, origin: str) -> AsyncIterator[Page]:
    async with await browser.new_context() as context:
        page = await context.new_page()
        await page.goto(f"{origin}/")
        assert await page.evaluate("origin") == origin
        yield page


async def call(page: Page, url: str, **options: object) -> dict[str, Any]:
    seen: dict[str, Any] = await page.evaluate(_CALL, [url, options])
    return seen


async def log_in(page: Page, edge: EdgeServer, folder: Path) -> dict[str, Any]:
    password = (folder / "user").read_text().strip()
    remember(password)
    return await call(
        page,
        f"{edge.url}/login",
        method="POST",
        headers={"Content-Type": "application/json"},
        body=json.dumps({"username": "user", "password": password}),
    )


async def test_a_simple_request_is_read_by_the_allowed_origin_only(
    edge: EdgeServer, allowed: Page, refused: Page
) -> None:
    """The other page has sent it, and gets nothing of the answer."""
    assert (await call(allowed, f"{edge.url}/livez"))["status"] == 200
    assert await call(refused, f"{edge.url}/livez") == _REFUSED


async def test_a_preflighted_request_is_sent_by_the_allowed_origin_only(
    edge: EdgeServer, allowed: Page, refused: Page
) -> None:
    """JSON and `Authorization` ask first: one page logs in and reads on, the other cannot."""
    folder = edge.folder / ".edge/demo"
    answer = await log_in(allowed, edge, folder)
    assert answer["status"] == 200
    tokens = json.loads(answer["body"])
    remember(tokens["access_token"], tokens["refresh_token"])
    asked = {"headers": {"Authorization": f"Bearer {tokens['access_token']}"}}
    assert (await call(allowed, f"{edge.url}/users/me", **asked))["status"] == 200

    attempts = edge.log_text().count("login.succeeded")
    assert await log_in(refused, edge, folder) == _REFUSED
    assert await call(refused, f"{edge.url}/users/me", **asked) == _REFUSED
    assert edge.log_text().count("login.succeeded") == attempts == 1


async def test_credentials_go_to_exact_origins_only(
    edge: EdgeServer, allowed: Page, refused: Page
) -> None:
    """With `*` all may read what nobody has to prove anything for, and nothing else."""
    with_them, keys = {"credentials": "include"}, f"{edge.url}/.well-known/jwks.json"
    assert (await call(allowed, f"{edge.url}/livez", **with_them))["status"] == 200
    assert (await call(refused, keys))["status"] == 200
    assert await call(refused, keys, **with_them) == _REFUSED
    assert await call(allowed, keys, **with_them) == _REFUSED


async def test_a_page_can_read_why_it_was_refused(edge: EdgeServer, allowed: Page) -> None:
    """401 and 429 come with all that a client needs to go on."""
    unknown = await call(allowed, f"{edge.url}/bearer-protected")
    assert (unknown["status"], json.loads(unknown["body"])["code"]) == (401, "credentials_missing")
    assert unknown["fields"]["www-authenticate"] == 'Bearer realm="edge"'
    assert unknown["fields"]["x-request-id"]

    await call(allowed, f"{edge.url}/nowhere")
    throttled = await call(allowed, f"{edge.url}/nowhere")
    assert (throttled["status"], json.loads(throttled["body"])["code"]) == (429, "rate_limited")
    assert int(throttled["fields"]["retry-after"]) > 0
    assert throttled["fields"]["ratelimit"].startswith('"few";r=0;t=')
    assert throttled["fields"]["ratelimit-policy"] == '"few";q=1;w=3600'


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [("allow-scripts", "TypeError"), ("allow-scripts allow-same-origin", 200)],
)
async def test_a_sandboxed_frame_is_no_origin(
    edge: EdgeServer, allowed: Page, policy: str, outcome: object
) -> None:
    """Its origin is `null`, which is refused even within the allowed page."""
    seen = await allowed.evaluate(_FRAME, [f"{edge.url}/livez", policy])
    origin = await allowed.evaluate("origin")
    assert seen == [origin if outcome == 200 else "null", outcome]


async def test_a_redirect_by_another_origin_taints(
    edge: EdgeServer, allowed: Page, pages: Site
) -> None:
    """Led here by its own site a page may read; led by another its origin is `null`."""
    by_itself = f"{pages.origin('app.localhost')}/redirect?to={edge.url}/livez"
    assert (await call(allowed, by_itself))["status"] == 200
    by_another = f"{pages.origin('evil.localhost')}/redirect?to={edge.url}/livez"
    assert await call(allowed, by_another) == _REFUSED


async def test_nobody_may_frame_an_answer(edge: EdgeServer, allowed: Page) -> None:
    """The browser shows an error of its own in its place, whoever asks."""
    async with allowed.expect_event("framenavigated"):
        await allowed.evaluate(
            "(url) => document.body.append("
            "Object.assign(document.createElement('iframe'), {src: url}))",
            f"{edge.url}/livez",
        )
    (frame,) = allowed.main_frame.child_frames
    assert frame.url == "chrome-error://chromewebdata/"


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_script_in_an_answer_is_not_run(
    edge: EdgeServer,
    browser: Browser,
    is_told: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """Were an answer HTML with a script in it, the browser would not run it: its CSP says so."""

    async def as_html(route: Route) -> None:
        answer = await route.fetch()
        headers = {**answer.headers, "content-type": "text/html"}
        if not is_told:  # the script does run where it may: the test could fail
            del headers["content-security-policy"]
        body = "<!doctype html><title>before</title><script>document.title = 'after'</script>"
        await route.fulfill(response=answer, headers=headers, body=body)

    async with await browser.new_context() as context:
        page = await context.new_page()
        await page.route("**/*", as_html)
        await page.goto(f"{edge.url}/livez")
        assert await page.title() == ("before" if is_told else "after")
