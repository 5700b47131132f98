"""`/login`, `/refresh-token` and `/logout` for apps of one's own."""

import asyncio

import pytest

from tests.support.app import RunningApp, bearer


async def test_login_answers_with_a_pair_of_tokens_that_nobody_keeps(app: RunningApp) -> None:
    """The JSON login gives what `/token` gives."""
    body = {"username": "user", "password": app.passwords["user"]}
    answer = await app.http.post("/login", json=body)

    assert answer.status_code == 200
    assert {"access_token", "refresh_token", "token_type", "expires_in"} <= set(answer.json())
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("username", ["USER", "\uff35ser", "UsEr"])
async def test_a_username_is_the_same_in_any_case_and_width(app: RunningApp, username: str) -> None:
    """Names are compared after NFKC and case folding."""
    body = {"username": username, "password": app.passwords["user"]}

    assert (await app.http.post("/login", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("user", "wrong"),
        ("nobody", "wrong"),
        ("a\x00b", "wrong"),
        ("user", "p\x00ss"),
        ("user", "x" * 2000),
        ("user:admin", "wrong"),
    ],
)
async def test_what_does_not_match_is_one_and_the_same_401(
    app: RunningApp, username: str, password: str
) -> None:
    """The answer does not tell an unknown name from a wrong password."""
    answer = await app.http.post("/login", json={"username": username, "password": password})

    assert answer.status_code == 401
    assert answer.json()["code"] == "credentials_invalid"
    assert answer.headers["www-authenticate"] == 'Bearer realm="edge"'


async def test_a_scope_beyond_the_roles_is_refused(app: RunningApp) -> None:
    """Asking only for what one may not have is a malformed request, not a login."""
    body = {"username": "user", "password": app.passwords["user"], "scope": "admin"}
    answer = await app.http.post("/login", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "scope_invalid")


async def test_50_refreshes_at_once_all_get_the_same_successor(app: RunningApp) -> None:
    """Two tabs, or fifty, that refresh together stay logged in together."""
    token = (await app.login("user"))["refresh_token"]
    answers = await asyncio.gather(
        *(app.http.post("/refresh-token", json={"refresh_token": token}) for _ in range(50))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


@pytest.mark.parametrize("token", ["nonsense", "edge_rt_" + "A" * 76, "edge_rt_" + "\u00e9" * 76])
async def test_a_refresh_token_that_edge_did_not_make_is_a_401(app: RunningApp, token: str) -> None:
    """Junk is refused with a reason, never with a 500."""
    answer = await app.http.post("/refresh-token", json={"refresh_token": token})

    assert (answer.status_code, answer.json()["code"]) == (401, "refresh_token_invalid")


async def test_an_access_token_is_no_refresh_token_and_the_other_way_round(
    app: RunningApp,
) -> None:
    """Each kind of token is good for its own purpose only."""
    tokens = await app.login("user")
    refreshed = await app.http.post(
        "/refresh-token", json={"refresh_token": tokens["access_token"]}
    )
    let_in = await app.get("/bearer-protected", tokens["refresh_token"])

    assert refreshed.status_code == 401
    assert (let_in.status_code, let_in.json()["code"]) == (401, "token_malformed")


async def test_logout_ends_the_session_and_its_access_tokens_and_no_other(app: RunningApp) -> None:
    """After `/logout` neither token of the session works; another session goes on."""
    mine, other = await app.login("user"), await app.login("user")
    out = await app.http.post("/logout", headers=bearer(mine["access_token"]))
    me = await app.get("/users/me", mine["access_token"])
    refreshed = await app.http.post("/refresh-token", json={"refresh_token": mine["refresh_token"]})
    other_me = await app.get("/users/me", other["access_token"])

    assert (out.status_code, out.content) == (204, b"")
    assert (me.status_code, me.json()["code"]) == (401, "token_revoked")
    assert (refreshed.status_code, refreshed.json()["code"]) == (401, "session_revoked")
    assert other_me.status_code == 200
