"""`/docs` and `/openapi.json`: who gets them, and that the page needs nothing from elsewhere."""

import base64
import re
import secrets
from importlib.resources import files
from pathlib import Path

import httpx
import msgspec
import pytest
from litestar import Litestar, get
from litestar.types import HTTPScope, Receive, Send

from edge import create_app
from edge.plugin import EdgePlugin
from edge.settings import Settings, load
from tests.support.app import RunningApp, running, running_service

PATHS = ("/docs", "/docs/page.js", "/docs/page.css", "/openapi.json")
# What would need 'unsafe-inline' or 'unsafe-eval', or make markup of text.
UNSAFE = re.compile(r"<style|\bstyle=|\bon\w+=\"|innerHTML|outerHTML|insertAdjacentHTML|eval\(")

# The name of a language, which browsers do not fetch, is none.
ELSEWHERE = re.compile(r"https?://(?!www\.w3\.org/2000/svg)|[\"'(]//")


@pytest.fixture
def settings(sqlite_settings: Settings) -> Settings:
    return sqlite_settings


async def test_the_page_has_a_strict_policy(app: RunningApp) -> None:
    """What is its own may run and be loaded; nothing inline, nothing of others, in no frame."""
    page = await app.get("/docs")
    policy = page.headers["content-security-policy"]

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "require-trusted-types-for 'script'" in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    for nothing in ("frame-ancestors", "form-action", "base-uri", "trusted-types"):
        assert f"{nothing} 'none'" in policy
    assert "unsafe" not in policy


async def test_the_page_needs_its_own_files_only(app: RunningApp) -> None:
    """Each file is served as what it is, and names no other server and no markup of a text."""
    for file in files("edge.http").joinpath("docs_page").iterdir():
        path = "/docs" if file.name == "page.html" else f"/docs/{file.name}"
        answer = await app.get(path)
        kind = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
        expected = kind.get(file.name.rpartition(".")[2], "image/svg+xml")

        assert answer.content == file.read_bytes(), path
        assert answer.headers["content-type"].split(";")[0] == expected
        assert not UNSAFE.search(answer.text), path
        assert not ELSEWHERE.search(answer.text), path
        for name in re.findall(r'(?:from "\./|(?:href|src)="docs/)([^"]+)"', answer.text):
            assert (await app.get(f"/docs/{name}")).status_code == 200, name


@pytest.mark.parametrize("path", PATHS)
async def test_what_has_not_changed_is_not_sent_again(app: RunningApp, path: str) -> None:
    """It is asked about each time, and 304 without a body is the answer."""
    first = await app.get(path)
    headers = {"If-None-Match": first.headers["etag"]}
    again = await app.http.get(path, headers=headers)

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert (await app.http.head(path)).headers["content-length"] == str(len(first.content))


@pytest.mark.parametrize("name", ["page.html", "nothing.js", "%2e%2e%2fdocs.py", "__init__.py"])
async def test_no_other_file_is_served(app: RunningApp, name: str) -> None:
    """Only what the page is made of, and the page under one name."""
    assert (await app.http.get(f"http://edge.test/docs/{name}")).status_code in (400, 404)


async def test_links_of_the_page_hold_behind_any_prefix(app: RunningApp) -> None:
    """They are relative, so with a slash at the end they would lead elsewhere: it is taken away."""
    answer = await app.get("/docs/")

    assert (answer.status_code, answer.headers["location"]) == (308, "../docs")


async def test_a_server_need_not_tell_the_path_as_it_was_sent(app: RunningApp) -> None:
    """ASGI lets `raw_path` be left out."""

    async def without(scope: HTTPScope, receive: Receive, send: Send) -> None:
        del scope["raw_path"]  # type: ignore[misc] # Litestar says that it is always there
        await app.served(scope, receive, send)

    transport = httpx.ASGITransport(app=without)  # type: ignore[arg-type] # Litestar's own ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="http://edge.test") as http:
        assert (await http.get("/docs")).status_code == 200


@pytest.mark.parametrize(
    ("environment", "docs", "is_there"),
    [
        ("development", "auto", True),
        ("development", "off", False),
        ("production", "auto", False),
        ("production", "off", False),
        ("production", "on", True),
    ],
)
def test_production_shows_it_when_told_to(
    tmp_path: Path, environment: str, docs: str, *, is_there: bool
) -> None:
    """By default it is for development only; without it there is no description at all."""
    variables = {
        "EDGE_ENVIRONMENT": environment,
        "EDGE_DOCS": docs,
        "EDGE_SECRET_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "EDGE_ISSUER": "https://edge.test",
        "EDGE_DATA_DIR": str(tmp_path),
    }
    paths = {route.path for route in create_app(load(variables).or_raise()).routes}
    shown = {"/docs", "/docs/{name:str}", "/openapi.json", "/schema", "/schema/openapi.json"}

    assert paths & shown == (shown if is_there else set())
    assert "/login" in paths


async def test_what_is_off_is_not_linked(settings: Settings) -> None:
    """`/` says where the page is, and nothing of a page that is not there."""
    for docs, status in (("on", 200), ("off", 404)):
        async with running_service(msgspec.structs.replace(settings, docs=docs)) as app:
            links = (await app.get("/")).json()["links"]

            assert {(await app.get(path)).status_code for path in PATHS} == {status}
            assert ("docs" in links, "openapi" in links) == (status == 200, status == 200)


async def test_an_app_of_ones_own_is_in_it(settings: Settings) -> None:
    """Its routes stand beside those of Edge; an app that wants no description has none."""

    @get("/reports", summary="All reports")
    async def reports() -> list[str]:
        return []

    async with running(Litestar([reports], plugins=[EdgePlugin(settings)])) as app:
        paths = (await app.get("/openapi.json")).json()["paths"]
        assert paths["/reports"]["get"]["summary"] == "All reports"
        assert "/login" in paths
    without = Litestar([reports], plugins=[EdgePlugin(settings)], openapi_config=None)
    async with running(without) as app:
        assert {(await app.get(path)).status_code for path in PATHS} == {404}
        assert "docs" not in (await app.get("/")).json()["links"]
