"""One's own sessions and password."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
import pytest
from structlog.testing import capture_logs

from tests.support.app import RunningApp, bearer, new_password

UNKNOWN = "01900000-0000-7000-8000-000000000000"


async def sessions_of(app: RunningApp, tokens: Mapping[str, str]) -> list[dict[str, object]]:
    answer = await app.get("/sessions", tokens["access_token"])
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["sessions"]
    return found


async def delete(app: RunningApp, path: str, tokens: Mapping[str, str]) -> httpx.Response:
    return await app.http.delete(path, headers=bearer(tokens["access_token"]))


async def is_alive(app: RunningApp, tokens: Mapping[str, str]) -> bool:
    """Say whether the access token is accepted and the session goes on, or neither."""
    used = await app.get("/bearer-protected", tokens["access_token"])
    body = {"refresh_token": tokens["refresh_token"]}
    refreshed = await app.http.post("/refresh-token", json=body)
    outcomes = {used.status_code, refreshed.status_code}
    assert outcomes in ({200}, {401}), (used.text, refreshed.text)
    return outcomes == {200}


async def change_password(
    app: RunningApp, tokens: Mapping[str, str], old: str, new: str
) -> httpx.Response:
    body = {"old_password": old, "new_password": new}
    headers = bearer(tokens["access_token"])
    return await app.http.post("/users/me/password", json=body, headers=headers)


async def test_a_user_sees_their_own_sessions(app: RunningApp) -> None:
    """All of them and nobody else's, the one used last first, each with where it is used from."""
    first = await app.login("user")
    app.http.headers["User-Agent"] = "a browser\x7f of mine"
    second = await app.login("user")
    await app.login("admin")
    shown = await sessions_of(app, first)
    assert [session["is_current"] for session in shown] == [False, True]
    newest = shown[0]
    assert newest["address"] == "203.0.113.7"
    assert newest["user_agent"] == "a browser of mine"
    assert newest["client_id"] == "first-party"
    for name in ("created_at", "last_used_at"):
        assert datetime.fromisoformat(str(newest[name])).tzinfo is UTC
    await app.http.post("/refresh-token", json={"refresh_token": first["refresh_token"]})
    again = await sessions_of(app, second)
    assert [session["id"] for session in again] == [shown[1]["id"], shown[0]["id"]]
    assert again[0]["created_at"] == shown[1]["created_at"]
    assert str(again[0]["last_used_at"]) > str(shown[1]["last_used_at"])


async def test_one_session_is_ended(app: RunningApp) -> None:
    """Its access token dies with it; the others go on; it is in the list no more."""
    here, there = await app.login("user"), await app.login("user")
    [other] = [s["id"] for s in await sessions_of(app, here) if not s["is_current"]]
    answer = await delete(app, f"/sessions/{other}", here)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not await is_alive(app, there)
    assert await is_alive(app, here)
    assert [s["is_current"] for s in await sessions_of(app, here)] == [True]


async def test_what_is_not_ones_own_session_is_not_found(app: RunningApp) -> None:
    """Somebody else's, an unknown one, an ended one and no id at all: 404, and nothing ends."""
    here, theirs = await app.login("user"), await app.login("admin")
    [foreign] = [session["id"] for session in await sessions_of(app, theirs)]
    [own] = [session["id"] for session in await sessions_of(app, await app.login("moderator"))]
    for wanted in (foreign, own, UNKNOWN, "nonsense", "no%20id"):
        answer = await delete(app, f"/sessions/{wanted}", here)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), wanted
    assert await is_alive(app, theirs)


async def test_of_twenty_that_end_one_session_one_does(app: RunningApp) -> None:
    """Ended once, however many ask at the same time."""
    here = await app.login("user")
    await app.login("user")
    [other] = [s["id"] for s in await sessions_of(app, here) if not s["is_current"]]
    answers = await asyncio.gather(*(delete(app, f"/sessions/{other}", here) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 19


async def test_logging_out_everywhere_ends_all_of_ones_sessions(app: RunningApp) -> None:
    """Every session and every access token, the one that asked too; nobody else's."""
    here, there, theirs = [await app.login(name) for name in ("user", "user", "admin")]
    answer = await delete(app, "/sessions", here)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [await is_alive(app, tokens) for tokens in (here, there, theirs)] == [False, False, True]
    assert await is_alive(app, await app.login("user"))


async def test_a_changed_password_ends_the_other_sessions(app: RunningApp) -> None:
    """The session that asked goes on; the old password is good for nothing, the new one is."""
    here, there, theirs = [await app.login(name) for name in ("user", "user", "admin")]
    old, new = app.passwords["user"], new_password()
    answer = await change_password(app, here, old, new)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [await is_alive(app, tokens) for tokens in (here, there, theirs)] == [True, False, True]
    body = {"username": "user", "password": old}
    assert (await app.http.post("/login", json=body)).status_code == 401
    app.passwords["user"] = new
    await app.login("user")


async def test_a_wrong_old_password_changes_nothing(app: RunningApp) -> None:
    """403, since a 401 would make clients throw the session away."""
    here, there = await app.login("user"), await app.login("user")
    answer = await change_password(app, here, new_password(), new_password())
    assert (answer.status_code, answer.json()["code"]) == (403, "password_wrong")
    assert [await is_alive(app, tokens) for tokens in (here, there)] == [True, True]
    await app.login("user")


@pytest.mark.parametrize(
    ("new", "code"),
    [("short", "password_too_short"), ("x" * 2000, "password_too_long"), ("a" * 20, None)],
)
async def test_a_new_password_is_judged_as_any(app: RunningApp, new: str, code: str | None) -> None:
    """400 with the reason and the field; the old password stays."""
    here = await app.login("user")
    answer = await change_password(app, here, app.passwords["user"], new)
    problem = answer.json()
    assert answer.status_code == 400
    assert problem["code"] == code or (code is None and problem["code"].startswith("password_"))
    assert [error["pointer"] for error in problem["errors"]] == ["/new_password"]
    await app.login("user")


async def test_of_ten_that_change_the_password_at_once_one_does(app: RunningApp) -> None:
    """The old password is compared and replaced in one step."""
    here = await app.login("user")
    old = app.passwords["user"]
    new = [new_password() for _ in range(10)]
    answers = await asyncio.gather(*(change_password(app, here, old, word) for word in new))
    assert sorted(answer.status_code for answer in answers) == [204] + [403] * 9
    [winner] = [word for word, answer in zip(new, answers, strict=True) if answer.is_success]
    app.passwords["user"] = winner
    await app.login("user")


async def test_a_client_of_its_own_has_no_sessions(app: RunningApp) -> None:
    """Routes about oneself are for users: 403 for a service account."""
    added = await app.edge.clients.add("robot", scopes=["profile"])
    assert not isinstance(added, str)
    secret = added.secret
    assert secret is not None
    body = {"grant_type": "client_credentials"}
    token = (await app.http.post("/token", data=body, auth=("robot", secret))).json()
    requests = [
        app.get("/sessions", token["access_token"]),
        delete(app, "/sessions", token),
        delete(app, f"/sessions/{UNKNOWN}", token),
        change_password(app, token, "old", "new"),
    ]
    for answer in await asyncio.gather(*requests):
        assert (answer.status_code, answer.json()["code"]) == (403, "user_needed")


async def test_it_is_taken_note_of(app: RunningApp) -> None:
    """Each of the three is an event that says whose sessions ended, and from where."""
    here = await app.login("user")
    user = (await app.get("/users/me", here["access_token"])).json()["id"]
    await app.login("user")
    [other] = [s["id"] for s in await sessions_of(app, here) if not s["is_current"]]
    with capture_logs() as logs:
        await delete(app, f"/sessions/{other}", here)
        await change_password(app, here, app.passwords["user"], new_password())
        await delete(app, "/sessions", here)
    found = [(entry["event"], entry["principal"], entry.get("session")) for entry in logs]
    assert found == [
        ("session.ended", user, other),
        ("account.password_changed", user, None),
        ("account.sessions_ended", user, None),
    ]
