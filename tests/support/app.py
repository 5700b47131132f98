"""Edge in this process, reached over ASGI: real stores, no sockets."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
from litestar import Litestar
from litestar.types import ASGIApp

from edge import create_app
from edge.accounts.user import User
from edge.app import entry
from edge.composition import Edge
from edge.plugin import EdgePlugin
from edge.settings import Settings, load
from tests.support import answers
from tests.support.secrets import remember

# The cheapest argon2 there is: tests are about what is hashed when, not about how long it takes.
# And no rate limits but those of a test itself: it asks more in a second than people in an hour.
TEST_ENVIRONMENT = {
    "EDGE_PASSWORDS_TIME_COST": "1",
    "EDGE_PASSWORDS_MEMORY_KIB": "64",
    "EDGE_PASSWORDS_PARALLELISM": "1",
    "EDGE_RATELIMIT_DEFAULTS": "false",
}

_TOKEN_FIELDS = ("access_token", "refresh_token", "password")


def make_settings(folder: Path, database_url: str, **environ: str) -> Settings:
    """Give settings for a test; `environ` are further variables without their `EDGE_`."""
    variables = {
        "EDGE_DATA_DIR": str(folder),
        "EDGE_DATABASE_URL": database_url,
        **TEST_ENVIRONMENT,
        **{f"EDGE_{name}": value for name, value in environ.items()},
    }
    return load(variables).or_raise()


def new_password() -> str:
    password = secrets.token_urlsafe(18)
    remember(password)
    return password


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def edge_of(app: Litestar) -> Edge:
    return app.plugins.get(EdgePlugin).edge


class RunningApp:
    """An app that has started, with a client for it and users whose passwords are known."""

    def __init__(self, app: Litestar, http: httpx.AsyncClient) -> None:
        self.edge = edge_of(app)
        self.served = app
        self.http = http
        self.passwords: dict[str, str] = {}

    async def add_user(self, username: str, roles: Iterable[str] = ()) -> User:
        password = new_password()
        user = await self.edge.accounts.add(username, password, roles=roles)
        assert isinstance(user, User), user
        self.passwords[username] = password
        return user

    async def login(self, username: str, scope: str | None = None) -> Mapping[str, str]:
        body = {"username": username, "password": self.passwords[username]}
        if scope is not None:
            body["scope"] = scope
        answer = await self.http.post("/login", json=body)
        assert answer.status_code == 200, answer.text
        tokens: Mapping[str, str] = answer.json()
        return tokens

    async def get(self, path: str, token: str | None = None) -> httpx.Response:
        return await self.http.get(path, headers=bearer(token) if token else {})


@asynccontextmanager
async def running(app: Litestar, asked: ASGIApp | None = None) -> AsyncIterator[RunningApp]:
    """Start an app, stop it on leaving; every secret that passes the client is remembered.

    `asked` is what gets the requests, where that is not the app itself.
    """
    transport = httpx.ASGITransport(app=asked or app, client=("203.0.113.7", 4711))  # type: ignore[arg-type] # Litestar's own ASGI types
    hooks: dict[str, list[Callable[..., Any]]] = {
        "request": [_remember_request],
        "response": [_remember_response],
    }
    async with (
        _started(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://edge.test", event_hooks=hooks
        ) as http,
    ):
        yield RunningApp(app, http)


@asynccontextmanager
async def running_service(settings: Settings) -> AsyncIterator[RunningApp]:
    """Start the service, and ask it as the server does."""
    service = create_app(settings)
    async with running(service, entry(service)) as app:
        yield app


@asynccontextmanager
async def _started(app: Litestar) -> AsyncIterator[None]:
    """Run the lifespan in one task: whoever enters it must leave it, and fixtures may not."""
    is_started, may_stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            is_started.set()
            await may_stop.wait()

    life = asyncio.create_task(live())
    birth = asyncio.create_task(is_started.wait())
    await asyncio.wait({life, birth}, return_when=asyncio.FIRST_COMPLETED)
    birth.cancel()
    if not is_started.is_set():
        await life
    try:
        yield
    finally:
        may_stop.set()
        await life


async def _remember_request(request: httpx.Request) -> None:
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/x-www-form-urlencoded"):
        form = parse_qs(request.content.decode("latin-1"))
        _remember({name: values[0] for name, values in form.items()})
    elif content_type.startswith("application/json"):
        _remember(_as_json(request.content))


async def _remember_response(response: httpx.Response) -> None:
    content = await response.aread()
    if response.headers.get("content-type", "").startswith("application/json"):
        _remember(_as_json(content))
    answers.note(response)


def _as_json(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _remember(fields: object) -> None:
    if isinstance(fields, dict):
        for name in _TOKEN_FIELDS:
            value = fields.get(name)
            if isinstance(value, str) and len(value) >= 8:
                remember(value)
