"""What every answer of the service carries, whatever went well or wrong on the way to it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar, get
from litestar.exceptions import HTTPException

from edge import PUBLIC, EdgePlugin
from edge.http.security_headers import PROFILES, security_headers
from edge.settings import Settings
from tests.support.app import RunningApp, bearer, make_settings, running
from tests.support.databases import SqliteTemplate

APP = "https://app.test"
EVIL = "https://evil.test"
JSON = {"Content-Type": "application/json"}
PREFLIGHT = {"Access-Control-Request-Method": "POST"}
MANAGED = {*PROFILES["api"], "strict-transport-security"}


@get("/teapot", opt=dict(PUBLIC))
async def teapot() -> None:
    raise HTTPException(status_code=418, detail="short and stout")


@get("/broken", opt=dict(PUBLIC))
async def broken() -> None:
    message = "a detail that must not leave"
    raise RuntimeError(message)


@get("/bad-gateway", opt=dict(PUBLIC))
async def bad_gateway() -> None:
    raise HTTPException(status_code=502, detail="a detail that must not leave")


@get("/moved", opt=dict(PUBLIC), status_code=307, response_headers={"Location": "/elsewhere"})
async def moved() -> None: ...


@get("/page", opt={**PUBLIC, **security_headers("page")}, media_type="text/html")
async def page() -> str:
    return "<!doctype html><title>A page</title>"


@get("/cached", response_headers={"Cache-Control": "public, max-age=60"})
async def cached() -> str:
    return "for one only"


@pytest.fixture
def settings(sqlite_template: SqliteTemplate, tmp_path: Path) -> Settings:
    return _settings(sqlite_template, tmp_path)


@pytest.fixture(scope="module")
def shared_settings(
    sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    return _settings(sqlite_template, tmp_path_factory.mktemp("shared"))


def _settings(template: SqliteTemplate, folder: Path) -> Settings:
    once = {"name": "once", "limit": 1, "window_s": 60, "paths": ["/nowhere"]}
    few = {"name": "few", "limit": 2, "window_s": 60, "paths": ["/users/me"]}
    return make_settings(
        folder / "data",
        template.copy_to(folder / "edge.db"),
        CORS_ALLOW_ORIGINS=APP,
        PROXIES_TRUSTED="203.0.113.7",
        RATELIMIT_POLICIES=json.dumps([once, few]),
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[RunningApp]:
    async with _running(settings) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_app(shared_settings: Settings) -> AsyncIterator[RunningApp]:
    """The same for all rows that change nothing in it."""
    async with _running(shared_settings) as opened:
        yield opened


@asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[RunningApp]:
    own = [teapot, broken, bad_gateway, moved, page, cached]
    async with running(Litestar(own, plugins=[EdgePlugin(settings)])) as opened:
        await opened.add_user("user", ["user"])
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "status", "sent"),
    [
        ("GET", "/livez", 200, {}),
        ("GET", "/page", 200, {}),
        ("OPTIONS", "/login", 204, {"Origin": APP, **PREFLIGHT}),
        ("OPTIONS", "/login", 403, {"Origin": EVIL, **PREFLIGHT}),
        ("GET", "/moved", 307, {}),
        ("POST", "/login", 400, JSON),
        ("GET", "//", 400, {}),
        ("GET", "/bearer-protected", 401, {}),
        ("GET", "/nothing-here", 404, {}),
        ("HEAD", "/nothing-here", 404, {}),
        ("DELETE", "/login", 405, {}),
        ("HEAD", "/login", 405, {}),
        ("POST", "/login", 413, {**JSON, "Content-Length": "1000000"}),
        ("GET", f"/{'a' * 10_000}", 414, {}),
        ("POST", "/login", 415, {"Content-Type": "text/plain", "Content-Length": "1"}),
        ("GET", "/teapot", 418, {}),
        ("GET", "/livez", 431, {f"x-{number}": "" for number in range(65)}),
        ("GET", "/broken", 500, {}),
        ("GET", "/bad-gateway", 500, {}),
    ],
)
@pytest.mark.parametrize("origin", [None, APP, EVIL])
@pytest.mark.asyncio(loop_scope="module")
async def test_every_answer_is_complete(
    shared_app: RunningApp,
    method: str,
    path: str,
    status: int,
    sent: Mapping[str, str],
    origin: str | None,
) -> None:
    """Whatever the status: security headers, id, and CORS for those whom it is due, no others."""
    headers = {"X-Forwarded-Proto": "https", **({"Origin": origin} if origin else {}), **sent}
    url = httpx.URL("http://edge.test", raw_path=path.encode())
    answer = await shared_app.http.request(method, url, headers=headers, content=_body(sent))

    assert answer.status_code == status
    expected = PROFILES["page" if path == "/page" else "api"]
    assert {name: answer.headers[name] for name in expected} == expected
    assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    assert answer.headers["x-request-id"]
    assert answer.headers["vary"] == "Origin"
    is_allowed = headers.get("Origin") == APP
    assert answer.headers.get("access-control-allow-origin") == (APP if is_allowed else None)
    if not is_allowed:
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    names = [name for name, _ in answer.headers.multi_items()]
    assert len(names) == len(set(names))


def _body(sent: Mapping[str, str]) -> bytes:
    return b"x" * min(int(sent.get("Content-Length", "0")), 100_000)


async def test_a_429_is_complete_too(app: RunningApp) -> None:
    """Of a path that does not exist, where the layer answers itself; a page may read it."""
    headers = {"Origin": APP}
    for status in (404, 429):
        answer = await app.http.get("/nowhere", headers=headers)
        assert answer.status_code == status
        assert ("retry-after" in answer.headers) is (status == 429)
        assert {name: answer.headers[name] for name in PROFILES["api"]} == PROFILES["api"]
        assert answer.headers["access-control-allow-origin"] == APP
        exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
        assert {"ratelimit", "ratelimit-policy", "x-request-id"} <= answer.headers.keys()
        assert {"ratelimit", "ratelimit-policy", "x-request-id", "retry-after"} <= set(exposed)


async def test_hsts_is_not_sent_over_http(app: RunningApp) -> None:
    """The connection is not https, and no trusted proxy says that the client's was."""
    answer = await app.http.get("/livez")
    assert "strict-transport-security" not in answer.headers


async def test_what_a_token_opened_is_stored_by_nobody(app: RunningApp) -> None:
    """Even where the handler says that it may be."""
    token = (await app.login("user"))["access_token"]
    answer = await app.get("/cached", token)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize(("method", "path"), [("POST", "/logout"), ("DELETE", "/sessions")])
async def test_logging_out_clears_what_the_browser_has(
    app: RunningApp, method: str, path: str
) -> None:
    """Once it is done; a request that logged nobody out clears nothing."""
    token = (await app.login("user"))["access_token"]
    done = await app.http.request(method, path, headers=bearer(token))
    assert done.status_code == 204
    assert done.headers["clear-site-data"] == '"cache","cookies","storage"'
    again = await app.http.request(method, path, headers=bearer(token))
    assert again.status_code == 401
    assert "clear-site-data" not in again.headers


async def test_preflights_count_against_the_address(app: RunningApp) -> None:
    """They are answered before authentication, and not for nothing."""
    headers = {"Origin": APP, **PREFLIGHT}
    answers = [await app.http.options("/users/me", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 429]
    assert answers[-1].headers["access-control-allow-origin"] == APP


async def test_nothing_inside_is_told(app: RunningApp) -> None:
    """No answer names the server, the framework, the language, or what went wrong inside."""
    for path in ("/broken", "/bad-gateway", "/livez", "/nothing-here", "/login"):
        answer = await app.http.get(path)
        if answer.status_code == 500:
            assert answer.json()["code"] == "internal_error"
        everything = f"{answer.headers} {answer.text}".lower()
        for word in ("granian", "litestar", "python", "msgspec", "traceback", "a detail", ".py"):
            assert word not in everything, (path, word)
        assert answer.headers["server"] == ""
