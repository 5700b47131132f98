"""What takes access away, and that it does so at once."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from edge.accounts.user import User
from edge.stores.tables import revocations
from tests.support.app import RunningApp, bearer, make_settings, new_password, running_service
from tests.support.stores import rows_of


async def disable(app: RunningApp, user: User) -> None:
    await app.edge.accounts.disable(user)


async def delete(app: RunningApp, user: User) -> None:
    await app.edge.accounts.delete(user)


async def change_password(app: RunningApp, user: User) -> None:
    await app.edge.accounts.set_password(user, new_password())


async def take_role(app: RunningApp, user: User) -> None:
    await app.edge.accounts.set_roles(user, [])


async def give_role(app: RunningApp, user: User) -> None:
    await app.edge.accounts.set_roles(user, ["user", "moderator"])


Change = Callable[[RunningApp, User], Awaitable[None]]


@pytest.mark.parametrize(
    ("change", "access_token", "refresh", "basic", "login"),
    [
        (disable, 401, 401, 401, 401),
        (delete, 401, 401, 401, 401),
        (change_password, 401, 401, 401, 401),
        (take_role, 401, 200, 200, 200),
        (give_role, 200, 200, 200, 200),
    ],
)
async def test_a_change_of_the_account_takes_away_what_it_must(
    app: RunningApp, change: Change, access_token: int, refresh: int, basic: int, login: int
) -> None:
    """Access tokens, sessions, Basic and logins with the old password each end when they must."""
    user = await app.edge.accounts.find_by_name("user")
    assert user is not None
    tokens, password = await app.login("user"), app.passwords["user"]

    async def use_basic() -> httpx.Response:
        return await app.http.get("/basic-protected", auth=("user", password))

    assert (await use_basic()).status_code == 200  # and now it is cached
    await change(app, user)

    assert (await app.get("/users/me", tokens["access_token"])).status_code == access_token
    body = {"refresh_token": tokens["refresh_token"]}
    assert (await app.http.post("/refresh-token", json=body)).status_code == refresh
    assert (await use_basic()).status_code == basic
    credentials = {"username": "user", "password": password}
    assert (await app.http.post("/login", json=credentials)).status_code == login


async def test_a_refresh_after_a_role_was_taken_brings_a_token_without_it(app: RunningApp) -> None:
    """The session goes on with the roles and scopes that are left."""
    user = await app.edge.accounts.find_by_name("moderator")
    assert user is not None
    tokens = await app.login("moderator")
    await app.edge.accounts.set_roles(user, ["user"])
    body = {"refresh_token": tokens["refresh_token"]}
    renewed = (await app.http.post("/refresh-token", json=body)).json()

    assert renewed["scope"] == "profile"
    assert (await app.get("/moderator-area", renewed["access_token"])).status_code == 403
    assert (await app.get("/user-area", renewed["access_token"])).status_code == 200


async def test_an_enabled_account_must_log_in_again(app: RunningApp) -> None:
    """Disabling ended the sessions; enabling does not bring them back."""
    user = await app.edge.accounts.find_by_name("user")
    assert user is not None
    tokens = await app.login("user")
    await app.edge.accounts.disable(user)
    await app.edge.accounts.enable(user)
    body = {"refresh_token": tokens["refresh_token"]}

    assert (await app.get("/users/me", tokens["access_token"])).status_code == 401
    assert (await app.http.post("/refresh-token", json=body)).json()["code"] == "session_revoked"
    assert await app.login("user")


async def test_a_disabled_account_is_told_so_only_with_the_right_password(app: RunningApp) -> None:
    """A stranger does not learn which accounts are disabled."""
    user = await app.edge.accounts.find_by_name("user")
    assert user is not None
    await app.edge.accounts.disable(user)

    async def code(password: str) -> str:
        answer = await app.http.post("/login", json={"username": "user", "password": password})
        assert answer.status_code == 401
        found: str = answer.json()["code"]
        return found

    assert await code(app.passwords["user"]) == "account_disabled"
    assert await code("wrong") == "credentials_invalid"


@pytest.mark.parametrize("leeway_s", [0, 120])
async def test_a_revocation_outlives_the_tokens_it_is_about(
    tmp_path: Path, database_url: str, leeway_s: int
) -> None:
    """Whatever made it, it counts until its last token is refused everywhere.

    That token was issued just before the change could be seen, by a machine whose clock is ahead by
    the leeway, and is accepted for the leeway after its end, by one whose clock is behind as much.
    """
    settings = make_settings(tmp_path, database_url, TOKENS_LEEWAY_S=str(leeway_s))
    async with running_service(settings) as app:
        await app.add_user("ann", ["user"])
        one, two, three = [(await app.login("ann"))["access_token"] for _ in range(3)]
        await app.http.post("/oauth/revoke", data={"token": one})
        await app.http.post("/logout", headers=bearer(two))
        change = {"old_password": app.passwords["ann"], "new_password": new_password()}
        await app.http.post("/users/me/password", json=change, headers=bearer(three))
        await app.http.delete("/sessions", headers=bearer(three))
        await app.edge.clients.add("app")
        await app.edge.clients.disable("app")
        rows = await rows_of(app.edge.database, revocations)

    assert [row["kind"] for row in rows] == ["token", "session", "session", "user", "user"]
    access_lifetime_s, longest_write_s = 900, 11
    needed_ms = (access_lifetime_s + 2 * leeway_s + longest_write_s) * 1000
    for row in rows:
        assert 0 <= row["expires_at_ms"] - row["recorded_at_ms"] - needed_ms < 1000
