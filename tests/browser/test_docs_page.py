"""The page at `/docs` in a real browser: log in and call routes, by mouse and by keyboard."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, Request, expect

from tests.support.app import TEST_ENVIRONMENT
from tests.support.browser import chromium
from tests.support.secrets import remember
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server
expect.set_options(timeout=30_000)  # as everything else in Playwright, for machines with much to do

MARKUP = "<img src=x onerror=alert(1)> & co"
# Chromium says so of every answer that is an error, however it is dealt with.
OF_AN_ERROR = "Failed to load resource: the server responded with a status of"


class Visit:
    """A page that is open, and what the browser had to complain about or asked others for."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))
        page.on("request", self._check)

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and not text.startswith(OF_AN_ERROR):
            self.complaints.append(text)

    def _check(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.complaints.append(f"asked {request.url}")

    async def log_in(self, username: str, password: str) -> None:
        await self.page.get_by_role("banner").get_by_role("button", name="Log in").click()
        await self.page.get_by_label("Username").fill(username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("dialog").get_by_role("button", name="Log in").click()

    async def choose(self, operation: str) -> None:
        menu = self.page.get_by_role("navigation")
        await menu.get_by_role("link", name=operation, exact=True).click()

    async def fill(self, name: str, text: str) -> None:
        form = self.page.get_by_role("form", name="Request")
        await form.get_by_role("textbox", name=re.compile(rf"^{name}\b")).fill(text)

    async def send(self) -> str:
        """Press the button; gives the answer as it is shown, from its status on."""
        answer = self.page.get_by_role("region", name="Answer")
        # What was there before may read the same, or nearly so, as what comes.
        await answer.evaluate("region => region.firstElementChild.setAttribute('data-old', '')")
        await self.page.get_by_role("button", name="Send").click()
        await expect(answer.locator("[data-old]")).to_have_count(0)
        await expect(answer).to_have_text(re.compile(r"\d{3} "))
        return await answer.inner_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("docs-page")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[EdgeServer]:
    environment = {**TEST_ENVIRONMENT, "EDGE_SERVICE_NAME": MARKUP}
    with EdgeServer(environment, folder, "--demo") as started:
        yield started


@pytest.fixture
def passwords(server: EdgeServer, folder: Path) -> dict[str, str]:
    found = {path.name: path.read_text().strip() for path in (folder / ".edge/demo").iterdir()}
    remember(*found.values())
    return found


@pytest.fixture
async def visit(server: EdgeServer) -> AsyncIterator[Visit]:
    async with visiting(server) as opened:
        yield opened


@asynccontextmanager
async def visiting(server: EdgeServer) -> AsyncIterator[Visit]:
    async with chromium() as browser:
        page = await browser.new_page()
        opened = Visit(page, server.url)
        await page.goto(f"{server.url}/docs")
        await page.get_by_role("heading", level=1).wait_for()
        yield opened
        assert opened.complaints == []


async def test_a_person_logs_in_and_calls_a_protected_route(
    visit: Visit, passwords: dict[str, str]
) -> None:
    """By clicking: the token goes with the request, is renewed, and is kept nowhere else."""
    await visit.log_in("user", passwords["user"])
    await visit.choose("GET /users/me")
    answer = await visit.send()
    await visit.page.get_by_role("button", name="Renew").click()
    again = await visit.send()
    kept = await visit.page.evaluate(
        "() => document.cookie + JSON.stringify([localStorage, sessionStorage]) + location.href"
    )

    assert answer.startswith("200 OK")
    assert '"username": "user"' in answer
    assert again.startswith("200 OK")
    assert kept == f"[{{}},{{}}]{visit.url}/docs#get/users/me"


async def test_who_is_refused_is_told_why(visit: Visit, passwords: dict[str, str]) -> None:
    """Without a token 401, with the wrong role 403, with a wrong password a sentence."""
    await visit.choose("GET /admin-area")
    stranger = await visit.send()
    await visit.log_in("user", "wrong-password")
    alert = visit.page.get_by_role("alert")
    await expect(alert).to_have_text("The username or the password is wrong.")
    await visit.page.get_by_role("button", name="Cancel").click()
    await visit.log_in("user", passwords["user"])
    await expect(visit.page.get_by_role("button", name="Log out")).to_be_visible()
    user = await visit.send()

    assert stranger.startswith("401 Unauthorized")
    assert "credentials_missing" in stranger
    assert user.startswith("403 Forbidden")


async def test_logging_out_ends_the_token(visit: Visit, passwords: dict[str, str]) -> None:
    """What the page forgets is good for nothing, and the next request goes without."""
    await visit.log_in("user", passwords["user"])
    await visit.choose("GET /users/me")
    await visit.send()
    async with visit.page.expect_response("**/logout") as logout:
        await visit.page.get_by_role("button", name="Log out").click()

    assert (await (await logout.value).request.all_headers())["authorization"].startswith("Bearer ")
    assert (await logout.value).status == 204
    assert (await visit.send()).startswith("401 Unauthorized")


async def test_parameters_bodies_and_forms_are_sent(
    visit: Visit, passwords: dict[str, str]
) -> None:
    """In the query, in the path, as JSON and as a form, beside a token and beside a password."""
    page = visit.page
    await visit.log_in("admin", passwords["admin"])
    await visit.choose("GET /admin/users")
    await visit.fill("limit", "1")
    users = await visit.send()
    found = re.search(r'"id": "([^"]+)"', users)
    assert found
    await visit.choose("PATCH /admin/users/{user_id}")
    await visit.fill("user_id", found[1])
    await visit.fill("Body", '{"full_name": "a name/with ümlauts"}')
    changed = await visit.send()
    await visit.choose("POST /token")
    await page.get_by_label("Nothing").check()
    await page.get_by_label("grant_type").select_option("password")
    await visit.fill("username", "user")
    await visit.fill("password", passwords["user"])
    tokens = await visit.send()
    await visit.choose("GET /basic-protected")
    await visit.fill("Username", "user")
    await visit.fill("Password", passwords["user"])
    basic = await visit.send()

    assert users.count('"username"') == 1
    assert '"full_name": "a name/with ümlauts"' in changed
    assert '"token_type": "Bearer"' in tokens
    assert '"let_in_by": "HTTP Basic"' in basic


async def test_all_of_it_can_be_done_by_keyboard(visit: Visit, passwords: dict[str, str]) -> None:
    """Log in, find a route and send a request, without a pointer."""
    keyboard = visit.page.keyboard
    await visit.page.get_by_role("banner").get_by_role("button", name="Log in").focus()
    for typed in ("Enter", "user", "Tab", passwords["user"], "Enter"):
        await (keyboard.press(typed) if typed in ("Enter", "Tab") else keyboard.type(typed))
    await expect(visit.page.get_by_role("button", name="Log out")).to_be_visible()
    await keyboard.press("/")
    await keyboard.type("users/me")
    await keyboard.press("Tab")
    while not await visit.page.evaluate("document.activeElement.hash === '#get/users/me'"):
        await keyboard.press("Tab")
    await keyboard.press("Enter")
    await expect(visit.page.get_by_role("heading", level=1)).to_contain_text("/users/me")
    while await visit.page.evaluate("document.activeElement.textContent") != "Send":
        await keyboard.press("Tab")
    await keyboard.press("Enter")

    await expect(visit.page.get_by_role("region", name="Answer")).to_contain_text("200 OK")


async def test_everything_to_fill_in_has_a_name(visit: Visit) -> None:
    """Of every operation, for whoever listens to the page instead of looking at it."""
    nameless = await visit.page.evaluate(
        """async () => {
            const found = []
            for (const { hash } of document.querySelectorAll("nav a")) {
                location.hash = hash
                await new Promise((done) => addEventListener("hashchange", done, { once: true }))
                for (const one of document.querySelectorAll("input, select, textarea, button"))
                    if (!(one.ariaLabel || one.labels?.[0]?.textContent || one.textContent))
                        found.push([hash, one.outerHTML])
            }
            return found
        }"""
    )

    assert nameless == []


async def test_the_policy_lets_nothing_else_run(visit: Visit) -> None:
    """No text becomes code or markup, and a name of the service that looks like it is a name."""
    tried = await visit.page.evaluate(
        """async () => {
            // Later, for what a debugger runs itself may do more.
            await new Promise((done) => setTimeout(done))
            const name = (attempt) => {
                try { attempt() } catch (error) { return error.name }
            }
            return {
                eval: name(() => new Function("return 1")()),
                markup: name(() => (document.body.innerHTML = "<b>bold</b>")),
                code: name(() => (document.createElement("script").textContent = "1")),
            }
        }"""
    )
    complaints, visit.complaints = visit.complaints, []

    assert tried == {"eval": "EvalError", "markup": "TypeError", "code": "TypeError"}
    assert complaints
    await expect(visit.page.get_by_role("heading", level=1)).to_contain_text(MARKUP)
