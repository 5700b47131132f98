"""What clients are told while PostgreSQL is away, in every way it can be, and when it is back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import make_url

from tests.support.app import RunningApp, bearer, make_settings, running_service
from tests.support.manners import late
from tests.support.postgres import Postgres
from tests.support.proxy import TcpProxy, proxy_to

_TIMEOUT_S = 0.5
# A wait for a statement, one for a new connection, and time to compute.
_SLOWEST_S = 2 * _TIMEOUT_S + 2


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[TcpProxy]:
    """Give what stands between Edge and its database."""
    port = make_url(postgres_url).port
    assert port is not None
    async with proxy_to(port) as proxy:
        yield proxy


@pytest.fixture
async def app(tmp_path: Path, postgres_url: str, proxy: TcpProxy) -> AsyncIterator[RunningApp]:
    """Give a service with connections in its pool, behind the proxy, with one user."""
    url = make_url(postgres_url).set(host="127.0.0.1", port=proxy.port)
    settings = make_settings(
        tmp_path,
        url.render_as_string(hide_password=False),
        DATABASE_TIMEOUT_S=str(_TIMEOUT_S),
    )
    async with running_service(settings) as app:
        await app.add_user("alice", ["user"])
        yield app


Outage = Callable[[TcpProxy, Postgres, str], Awaitable[None]]


async def cut(proxy: TcpProxy, _server: Postgres, _url: str) -> None:
    proxy.cut()


async def silence(proxy: TcpProxy, _server: Postgres, _url: str) -> None:
    proxy.silence()


async def start_up(proxy: TcpProxy, _server: Postgres, _url: str) -> None:
    await proxy.refuse_politely("57P03", "the database system is starting up")


async def be_full(proxy: TcpProxy, _server: Postgres, _url: str) -> None:
    await proxy.refuse_politely("53300", "sorry, too many clients already")


async def close_for_maintenance(_proxy: TcpProxy, server: Postgres, url: str) -> None:
    await execute(server, f'ALTER DATABASE "{make_url(url).database}" ALLOW_CONNECTIONS false')
    await terminate(server, url)


async def terminate(server: Postgres, url: str) -> None:
    await asyncio.to_thread(server.terminate, url)


async def execute(server: Postgres, statement: str) -> None:
    await asyncio.to_thread(server.execute, statement)  # it has an event loop of its own


async def give_back(proxy: TcpProxy, server: Postgres, url: str) -> None:
    await execute(server, f'ALTER DATABASE "{make_url(url).database}" ALLOW_CONNECTIONS true')
    await proxy.restore()


OUTAGES: dict[str, Outage] = {
    "cut off": cut,
    "silent": silence,
    "starting up": start_up,
    "full": be_full,
    "closed for maintenance": close_for_maintenance,
}


OAUTH = ("token by password", "token by refresh")


class Client:
    """Alice, logged in, with everything she may ask for that needs the database."""

    def __init__(self, app: RunningApp, tokens: Mapping[str, str]) -> None:
        self._http = app.http
        password = app.passwords["alice"]
        access, refresh = bearer(tokens["access_token"]), tokens["refresh_token"]
        login = {"username": "alice", "password": password}
        self._requests: dict[str, dict[str, Any]] = {
            "bearer": {"method": "GET", "url": "/users/me", "headers": access},
            "basic": {"method": "GET", "url": "/basic-protected", "auth": ("alice", password)},
            "login": {"url": "/login", "json": login},
            "refresh": {"url": "/refresh-token", "json": {"refresh_token": refresh}},
            "token by password": {"url": "/token", "data": {"grant_type": "password", **login}},
            "token by refresh": {
                "url": "/token",
                "data": {"grant_type": "refresh_token", "refresh_token": refresh},
            },
        }
        self._logout: dict[str, Any] = {"url": "/logout", "headers": access}

    async def ask(self, what: str) -> httpx.Response:
        request: dict[str, Any] = {"method": "POST", **self._requests[what]}
        return await self._http.request(**request)

    async def ask_everything(self) -> dict[str, httpx.Response]:
        """Ask for everything at the same time."""
        answers = await asyncio.gather(*map(self.ask, self._requests))
        return dict(zip(self._requests, answers, strict=True))

    async def log_out(self) -> httpx.Response:
        return await self._http.request("POST", **self._logout)


@pytest.fixture
async def client(app: RunningApp) -> Client:
    return Client(app, await app.login("alice"))


def assert_unavailable(what: str, answer: httpx.Response) -> None:
    assert answer.status_code == 503, (what, answer.text)
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in answer.headers
    if what in OAUTH:
        assert answer.json()["error"] == "temporarily_unavailable"
        return
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "store_unavailable"
    assert answer.json()["status"] == 503


@pytest.mark.parametrize("outage", OUTAGES)
async def test_while_the_database_is_away_it_is_our_fault(
    client: Client, proxy: TcpProxy, postgres: Postgres, postgres_url: str, outage: str
) -> None:
    """Whatever needs the database is answered 503 soon, again and again, never 401 or 500."""
    await client.ask_everything()  # so that the pool holds a connection for each
    await OUTAGES[outage](proxy, postgres, postgres_url)
    for _ in range(2):  # with those connections, and then without them
        async with asyncio.timeout(_SLOWEST_S):
            answers = await client.ask_everything()
        for what, answer in answers.items():
            assert_unavailable(what, answer)


@pytest.mark.parametrize("outage", OUTAGES)
async def test_the_process_stays_alive_and_in_rotation(
    app: RunningApp, proxy: TcpProxy, postgres: Postgres, postgres_url: str, outage: str
) -> None:
    """Without its database a process is alive and ready, and says that the database is down."""
    await OUTAGES[outage](proxy, postgres, postgres_url)
    assert (await app.get("/livez")).status_code == 200
    ready = await app.get("/readyz")
    assert (ready.status_code, ready.json()["dependencies"]) == (200, {"database": "down"})
    assert (await app.get("/.well-known/jwks.json")).status_code == 200
    assert (await app.get("/users/me")).status_code == 401
    assert (await app.get("/users/me", "no-token")).status_code == 401


async def test_asking_whether_it_is_ready_costs_no_connections(
    app: RunningApp, client: Client, proxy: TcpProxy
) -> None:
    """A check that is not waited for goes on, and does not cost the connection that it has."""
    await client.ask_everything()
    accepted = proxy.accepted
    proxy.answer(late(_TIMEOUT_S * 0.7))
    assert (await app.get("/readyz")).json()["dependencies"] == {"database": "down"}
    for _ in range(7):
        assert (await app.get("/readyz")).status_code == 200
    await proxy.restore()
    async with asyncio.timeout(_SLOWEST_S):
        while (await app.get("/readyz")).json()["dependencies"] != {"database": "up"}:  # noqa: ASYNC110  # what others see
            await asyncio.sleep(0.01)
    assert proxy.accepted == accepted


@pytest.mark.parametrize("outage", OUTAGES)
async def test_when_the_database_is_back_all_is_well(
    app: RunningApp,
    client: Client,
    proxy: TcpProxy,
    postgres: Postgres,
    postgres_url: str,
    outage: str,
) -> None:
    """After an outage that was noticed every request succeeds at once, without a restart."""
    await OUTAGES[outage](proxy, postgres, postgres_url)
    assert_unavailable("bearer", await client.ask("bearer"))
    assert_unavailable("log out", await client.log_out())
    await give_back(proxy, postgres, postgres_url)
    for what, answer in (await client.ask_everything()).items():
        assert answer.status_code == 200, (what, answer.text)
    assert (await client.log_out()).status_code == 204
    assert (await app.get("/readyz")).json()["dependencies"] == {"database": "up"}


async def test_a_refresh_that_met_the_outage_can_be_repeated(
    client: Client, proxy: TcpProxy, postgres: Postgres, postgres_url: str
) -> None:
    """A refresh token that was answered 503 is as good as before."""
    proxy.cut()
    assert_unavailable("refresh", await client.ask("refresh"))
    await give_back(proxy, postgres, postgres_url)
    assert (await client.ask("refresh")).status_code == 200


async def test_a_log_out_that_met_the_outage_has_not_happened(
    client: Client, proxy: TcpProxy, postgres: Postgres, postgres_url: str
) -> None:
    """Who was answered 503 is still logged in, and can log out when the database is back."""
    proxy.cut()
    assert_unavailable("log out", await client.log_out())
    await give_back(proxy, postgres, postgres_url)
    assert (await client.ask("bearer")).status_code == 200
    assert (await client.log_out()).status_code == 204
    assert (await client.ask("bearer")).status_code == 401


async def test_a_restart_nobody_noticed_costs_one_request(
    client: Client, postgres: Postgres, postgres_url: str
) -> None:
    """Where PostgreSQL was restarted between requests at most the first of them is refused."""
    await client.ask_everything()
    await terminate(postgres, postgres_url)
    first = await client.ask("bearer")
    if first.status_code != 200:
        assert_unavailable("bearer", first)
    for what, answer in (await client.ask_everything()).items():
        assert answer.status_code == 200, (what, answer.text)


@pytest.mark.parametrize(
    ("on_outage", "status", "code"),
    [("serve", 200, None), ("refuse", 503, "revocations_unavailable")],
)
async def test_tokens_without_a_view_of_the_revocations(
    tmp_path: Path, postgres_url: str, proxy: TcpProxy, on_outage: str, status: int, code: str
) -> None:
    """Past the bound, a setting decides whether known revocations are enough; it is never a 401."""
    url = make_url(postgres_url).set(host="127.0.0.1", port=proxy.port)
    settings = make_settings(
        tmp_path,
        url.render_as_string(hide_password=False),
        DATABASE_TIMEOUT_S=str(_TIMEOUT_S),
        REVOCATION_BOUND_S="0.5",
        REVOCATION_ON_OUTAGE=on_outage,
    )
    async with running_service(settings) as app:
        await app.add_user("alice", ["user"])
        token = (await app.login("alice"))["access_token"]
        assert (await app.get("/user-area", token)).status_code == 200
        proxy.cut()
        async with asyncio.timeout(10):
            while app.edge.revocations.lag_s <= 0.5:  # noqa: ASYNC110  # time itself is waited for
                await asyncio.sleep(0.01)
        answer = await app.get("/user-area", token)
        assert answer.status_code == status
        if code is not None:
            assert answer.json()["code"] == code
            assert answer.headers["retry-after"] == "1"
