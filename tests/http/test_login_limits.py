"""Limits on attempts to log in, by every way there is to try a password."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import update

from edge.stores.sql import database_now
from edge.stores.tables import known_networks
from tests.support.app import RunningApp, bearer, make_settings, new_password, running_service

OWNER, THIEF, OTHER = "203.0.113.7", "198.51.100.9", "192.0.2.1"
WRONG = "a wrong password, always"

PAIR = {
    "name": "pair",
    "limit": 3,
    "window_s": 300,
    "algorithm": "log",
    "counts": "logins",
    "partition": ["account", "address"],
}
PLACE = {**PAIR, "name": "place", "partition": ["address"], "limit": 5}
ACCOUNT = {**PAIR, "name": "account", "partition": ["account"], "limit": 4}


class House:
    """A running Edge, asked from several addresses."""

    def __init__(self, app: RunningApp, served: Litestar) -> None:
        self.app = app
        self._served = served

    def at(self, address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self._served, client=(address, 1))  # type: ignore[arg-type] # Litestar's own ASGI types
        return httpx.AsyncClient(transport=transport, base_url="http://edge.test")

    async def login(self, address: str, password: str, username: str = "ann") -> int:
        async with self.at(address) as http:
            body = {"username": username, "password": password}
            return (await http.post("/login", json=body)).status_code

    async def wrong(self, address: str, times: int, username: str = "ann") -> list[int]:
        return [await self.login(address, WRONG, username) for _ in range(times)]

    @property
    def right(self) -> str:
        return self.app.passwords["ann"]


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Any:  # noqa: ANN401  # a context manager's maker
    @asynccontextmanager
    async def running(*policies: dict[str, Any]) -> AsyncIterator[House]:
        settings = make_settings(tmp_path, database_url, RATELIMIT_POLICIES=json.dumps(policies))
        async with running_service(settings) as app:
            await app.add_user("ann")
            await app.add_user("bob")
            yield House(app, app.served)

    return running


async def test_a_guesser_is_stopped_and_the_owner_is_not(run: Any) -> None:  # noqa: ANN401
    """The window is of account and address together; a right password is not counted in it."""
    async with run(PAIR) as house:
        assert await house.wrong(THIEF, 5) == [401, 401, 401, 429, 429]
        assert await house.login(THIEF, house.right) == 429
        for _ in range(9):
            assert await house.login(OWNER, house.right) == 200


async def test_the_answer_says_what_and_how_long(run: Any) -> None:  # noqa: ANN401
    """429 with the policy and Retry-After, before any hash was computed."""
    async with run(PAIR) as house:
        await house.wrong(THIEF, 3)
        async with house.at(THIEF) as http:
            body = {"username": "ann", "password": WRONG}
            answer = await http.post("/login", json=body)
    assert (answer.status_code, answer.json()["policy"]) == (429, "pair")
    assert 295 <= int(answer.headers["retry-after"]) <= 300


async def test_one_place_that_tries_many_accounts_is_stopped(run: Any) -> None:  # noqa: ANN401
    """Names that do not exist, and that cannot, count like those that do."""
    async with run(PLACE) as house:
        seen = []
        for name in ("ann", "nobody", "no name at all", "bob", "nobody", "ann"):
            seen += await house.wrong(THIEF, 1, name)
        assert seen == [401] * 5 + [429]
        assert await house.login(OWNER, house.right) == 200


async def test_an_unknown_name_counts_like_a_known_one(run: Any) -> None:  # noqa: ANN401
    """Whoever watches the 429s does not learn which accounts there are."""
    async with run(PAIR, ACCOUNT) as house:
        known = await house.wrong(THIEF, 5, "ann")
        assert await house.wrong(THIEF, 5, "nobody") == known == [401, 401, 401, 429, 429]
        assert await house.wrong(OTHER, 2, "ANN") == await house.wrong(OTHER, 2, "NoBody")


async def test_a_stranger_does_not_lock_the_owner_out(run: Any) -> None:  # noqa: ANN401
    """The account's window is for networks it has not logged in from; those it has are free."""
    async with run(ACCOUNT) as house:
        assert await house.login(OWNER, house.right) == 200
        assert await house.wrong(THIEF, 6) == [401] * 4 + [429] * 2
        assert await house.login(OTHER, house.right) == 429
        assert await house.login(OWNER, house.right) == 200
        assert await house.login(THIEF, house.right, "bob") == 401


async def test_a_network_is_known_for_thirty_days(run: Any) -> None:  # noqa: ANN401
    """After that it is a stranger's again."""
    async with run(ACCOUNT) as house:
        assert await house.login(OWNER, house.right) == 200
        async with house.app.edge.database.writing() as connection:
            days = 30 * 86_400_000
            await connection.execute(
                update(known_networks).values(logged_in_at_ms=database_now() - days)
            )
        await house.wrong(THIEF, 4)
        assert await house.login(OWNER, house.right) == 429


async def test_of_many_at_once_the_limit_is_tried(run: Any) -> None:  # noqa: ANN401
    """Charged before the hash: fifty guesses at the same moment are three tries."""
    async with run(PAIR) as house:
        seen = await asyncio.gather(*(house.login(THIEF, WRONG) for _ in range(50)))
    assert sorted(seen) == [401] * 3 + [429] * 47


async def by_token(http: httpx.AsyncClient, password: str) -> httpx.Response:
    form = {"grant_type": "password", "username": "ann", "password": password}
    return await http.post("/token", data=form)


async def by_basic(http: httpx.AsyncClient, password: str) -> httpx.Response:
    credentials = base64.b64encode(f"ann:{password}".encode()).decode()
    return await http.get("/basic-protected", headers={"Authorization": f"Basic {credentials}"})


@pytest.mark.parametrize("way", [by_token, by_basic])
async def test_every_way_to_try_a_password_counts(run: Any, way: Any) -> None:  # noqa: ANN401
    """`/token` and HTTP Basic share the windows of `/login`; remembered Basic costs nothing."""
    async with run(PAIR) as house, house.at(THIEF) as http:
        right = [await way(http, house.right) for _ in range(6)]
        assert [answer.status_code for answer in right] == [200] * 6
        wrong = [await way(http, f"{WRONG} {number}") for number in range(5)]
        assert [answer.status_code >= 429 for answer in wrong] == [False] * 3 + [True] * 2
        assert {answer.status_code for answer in wrong[3:]} == {429}
        assert await house.login(THIEF, house.right) == 429


async def test_the_old_password_is_an_attempt(run: Any) -> None:  # noqa: ANN401
    """Whoever has a token, but not the password, cannot guess it either."""
    async with run(PAIR) as house:
        token = (await house.app.login("ann"))["access_token"]
        seen = []
        for _ in range(4):
            body = {"old_password": WRONG, "new_password": new_password()}
            answer = await house.app.http.post(
                "/users/me/password", json=body, headers=bearer(token)
            )
            seen.append(answer.status_code)
    assert seen == [403, 403, 403, 429]


async def test_the_defaults_limit_logins(tmp_path: Path, database_url: str) -> None:
    """Without any file, ten wrong passwords for one account from one place are enough."""
    settings = make_settings(tmp_path, database_url, RATELIMIT_DEFAULTS="true")
    async with running_service(settings) as app:
        await app.add_user("ann")
        house = House(app, app.served)
        assert await house.wrong(THIEF, 11) == [401] * 10 + [429]
        assert await house.login(OWNER, house.right) == 200
