"""Administrators about accounts."""

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from tests.support.app import RunningApp, bearer, new_password

UNKNOWN = "01900000-0000-7000-8000-000000000000"


class Admin:
    """Somebody with the role admin, and what they do."""

    def __init__(self, app: RunningApp, token: str) -> None:
        self.app = app
        self.headers = bearer(token)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        return await self.app.http.request(method, path, headers=self.headers, **options)

    async def page(self, **parameters: str | int) -> httpx.Response:
        return await self.send("GET", "/admin/users", params=parameters)

    async def add(self, username: str, **fields: object) -> httpx.Response:
        password = new_password()
        self.app.passwords[username] = password
        body = {"username": username, "password": password, **fields}
        return await self.send("POST", "/admin/users", json=body)

    async def change(self, user_id: object, **fields: object) -> httpx.Response:
        return await self.send("PATCH", f"/admin/users/{user_id}", json=fields)


@pytest.fixture
async def admin(app: RunningApp) -> Admin:
    return Admin(app, (await app.login("admin"))["access_token"])


async def id_of(app: RunningApp, username: str) -> str:
    user = await app.edge.accounts.find_by_name(username)
    assert user is not None
    return str(user.id)


REQUESTS = [
    ("GET", "/admin/users"),
    ("POST", "/admin/users"),
    ("PATCH", f"/admin/users/{UNKNOWN}"),
    ("DELETE", f"/admin/users/{UNKNOWN}/sessions"),
]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_only_administrators_are_let_in(app: RunningApp, method: str, path: str) -> None:
    """Whoever has not the role admin gets 403, before anything is looked at."""
    for name in ("moderator", "user"):
        headers = bearer((await app.login(name))["access_token"])
        answer = await app.http.request(method, path, headers=headers, json={"nonsense": 1})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_missing")


async def test_a_client_with_the_role_may_do_it_too(app: RunningApp) -> None:
    """Administration is for services as for people."""
    added = await app.edge.clients.add("robot", roles=["admin"])
    assert not isinstance(added, str)
    assert added.secret is not None
    body = {"grant_type": "client_credentials"}
    answer = await app.http.post("/token", data=body, auth=("robot", added.secret))
    robot = Admin(app, answer.json()["access_token"])
    assert (await robot.page()).status_code == 200
    assert (await robot.add("made-by-robot")).status_code == 201


async def test_all_users_are_met_once_while_others_come_and_go(
    app: RunningApp, admin: Admin
) -> None:
    """Pages of 250 users name each once, though users are made and deleted in between."""
    for number in range(250):
        added = await app.edge.accounts.add(f"person{number:03}", new_password())
        assert not isinstance(added, str)
    seen: list[str] = []
    parameters: dict[str, str | int] = {"limit": 40}
    for round_number in range(100):
        page = (await admin.page(**parameters)).json()
        seen += [user["username"] for user in page["users"]]
        assert len(page["users"]) <= 40
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]
        await app.edge.accounts.add(f"another{round_number}", new_password())
        last = await app.edge.accounts.find_by_name(seen[-1])
        assert last is not None
        await app.edge.accounts.delete(last)
    assert seen == sorted(set(seen))
    expected = {f"person{number:03}" for number in range(250)} | {"admin", "moderator", "user"}
    assert expected <= set(seen)


async def test_the_last_page_says_so(admin: Admin) -> None:
    """A page that is just full and the last has no cursor."""
    assert (await admin.page(limit=3)).json()["next_cursor"] is None
    first = (await admin.page(limit=2)).json()
    assert [user["username"] for user in first["users"]] == ["admin", "moderator"]
    rest = (await admin.page(limit=2, cursor=first["next_cursor"])).json()
    assert [user["username"] for user in rest["users"]] == ["user"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"limit": 0}, "/query/limit"),
        ({"limit": 201}, "/query/limit"),
        ({"limit": "many"}, "/query/limit"),
        ({"cursor": "§"}, "/query/cursor"),
        ({"cursor": "a"}, "/query/cursor"),
        ({"cursor": "_w"}, "/query/cursor"),
        ({"cursor": "YQBi"}, "/query/cursor"),  # a, NUL, b, which PostgreSQL has no text for
        ({"cursor": "Y" * 400}, "/query/cursor"),
    ],
)
async def test_a_bad_page_is_refused(
    admin: Admin, parameters: dict[str, Any], pointer: str
) -> None:
    """400, with the parameter that is at fault."""
    answer = await admin.page(**parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_an_account_is_made(app: RunningApp, admin: Admin) -> None:
    """201, where it is found, and all that was given; the user can log in."""
    answer = await admin.add(
        "ann", roles=["user", "admin", "user"], email="ann@example.com", full_name=" Ann "
    )
    profile = answer.json()
    assert answer.status_code == 201
    assert (await admin.send("GET", answer.headers["location"])).json() == profile
    assert (profile["username"], profile["roles"]) == ("ann", ["admin", "user"])
    assert (profile["email"], profile["full_name"]) == ("ann@example.com", "Ann")
    await app.login("ann")


@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"username": "a b"}, 400, "username_invalid", "/username"),
        ({"username": "ADMIN"}, 409, "username_taken", "/username"),
        ({"email": "nowhere"}, 400, "email_invalid", "/email"),
        ({"full_name": "\n"}, 400, "full_name_invalid", "/full_name"),
        ({"roles": ["No Role"]}, 400, "role_invalid", "/roles"),
        ({"password": "short"}, 400, "password_too_short", "/password"),
        ({"nonsense": 1}, 400, "validation_failed", "/nonsense"),
        ({"roles": "user"}, 400, "validation_failed", "/roles"),
        ({"username": ""}, 400, "validation_failed", "/username"),
    ],
)
async def test_an_account_that_cannot_be_is_refused(
    app: RunningApp, admin: Admin, fields: dict[str, object], status: int, code: str, pointer: str
) -> None:
    """The reason and the field at fault; nobody was made."""
    before = (await admin.page()).json()
    body = {"username": "ann", "password": new_password(), **fields}
    answer = await admin.send("POST", "/admin/users", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await admin.page()).json() == before


async def test_of_twenty_that_make_one_name_one_does(admin: Admin) -> None:
    """201 once, 409 for the others."""
    answers = await asyncio.gather(*(admin.add("ann") for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19


async def test_what_is_left_out_of_a_change_stays(app: RunningApp, admin: Admin) -> None:
    """Only the fields that are given change, and null clears those that may be empty."""
    user = (await admin.add("ann", email="a@example.com", full_name="Ann", roles=["user"])).json()
    changed = await admin.change(user["id"], full_name=None)
    assert changed.status_code == 200
    assert changed.json() == {**user, "full_name": None, "updated_at": changed.json()["updated_at"]}
    assert (await admin.change(user["id"])).json()["email"] == "a@example.com"
    await app.login("ann")


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"email": "nowhere"}, "email_invalid", "/email"),
        ({"roles": ["user", "!"]}, "role_invalid", "/roles"),
        ({"password": "short"}, "password_too_short", "/password"),
        ({"roles": None}, "validation_failed", "/roles"),
        ({"is_disabled": None}, "validation_failed", "/is_disabled"),
        ({"username": "another"}, "validation_failed", "/username"),
    ],
)
async def test_a_change_is_all_or_nothing(
    app: RunningApp, admin: Admin, fields: dict[str, object], code: str, pointer: str
) -> None:
    """Where one field is at fault nothing changes, and no session ends."""
    tokens = await app.login("user")
    user_id = await id_of(app, "user")
    before = (await admin.send("GET", f"/users/{user_id}")).json()
    answer = await admin.change(user_id, **{"full_name": "Somebody", "is_disabled": True, **fields})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await admin.send("GET", f"/users/{user_id}")).json() == before
    assert (await app.get("/users/me", tokens["access_token"])).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"is_disabled": True}, {"password": None}, {"roles": []}], ids=str
)
async def test_taking_something_away_ends_access_at_once(
    app: RunningApp, admin: Admin, fields: dict[str, object]
) -> None:
    """Disabling, another password and a role less: access tokens issued so far are dead."""
    tokens = await app.login("user")
    if "password" in fields:
        fields = {"password": new_password()}
    answer = await admin.change(await id_of(app, "user"), **fields)
    assert answer.status_code == 200
    assert (await app.get("/bearer-protected", tokens["access_token"])).status_code == 401
    body = {"refresh_token": tokens["refresh_token"]}
    refreshed = await app.http.post("/refresh-token", json=body)
    assert refreshed.status_code == (200 if "roles" in fields else 401)


async def test_all_sessions_of_a_user_are_ended(app: RunningApp, admin: Admin) -> None:
    """204, and the user has to log in again; the administrator does not."""
    here, there = await app.login("user"), await app.login("user")
    answer = await admin.send("DELETE", f"/admin/users/{await id_of(app, 'user')}/sessions")
    assert (answer.status_code, answer.content) == (204, b"")
    for tokens in (here, there):
        assert (await app.get("/bearer-protected", tokens["access_token"])).status_code == 401
        body = {"refresh_token": tokens["refresh_token"]}
        assert (await app.http.post("/refresh-token", json=body)).status_code == 401
    assert (await admin.page()).status_code == 200


@pytest.mark.parametrize("user_id", [UNKNOWN, "nonsense"])
async def test_an_unknown_user_is_404(admin: Admin, user_id: str) -> None:
    """Changing and logging out somebody who is not there."""
    for answer in (
        await admin.change(user_id, full_name="Nobody"),
        await admin.send("DELETE", f"/admin/users/{user_id}/sessions"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_every_change_is_taken_note_of(app: RunningApp, admin: Admin) -> None:
    """One event for each thing that changed, with who was changed and who did it."""
    doer = await id_of(app, "admin")
    with capture_logs() as logs:
        user_id = (await admin.add("ann", roles=["user"])).json()["id"]
        await admin.change(
            user_id, full_name="Ann", roles=[], password=new_password(), is_disabled=True
        )
        await admin.change(user_id, full_name="Ann", is_disabled=False)
        await admin.send("DELETE", f"/admin/users/{user_id}/sessions")
    assert {(entry["principal"], entry["by"]) for entry in logs} == {(user_id, doer)}
    assert [entry["event"] for entry in logs] == [
        "account.created",
        "account.profile_changed",
        "account.roles_changed",
        "account.password_changed",
        "account.disabled",
        "account.enabled",
        "account.sessions_ended",
    ]
