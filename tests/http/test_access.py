"""Being let in: methods, roles, scopes, challenges, and what is open to everybody."""

import base64
import json
import re

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import BaseRoute

from edge import create_app
from edge.accounts.user import User
from edge.http.enforcement import accepted_methods
from edge.settings import Settings
from tests.support.app import RunningApp, bearer, running_service

PUBLIC_ROUTES = [
    "GET /",
    "GET /.well-known/jwks.json",
    "GET /.well-known/oauth-authorization-server",
    "GET /docs",
    "GET /docs/{name:str}",
    "GET /livez",
    "GET /openapi.json",
    "GET /readyz",
    "HEAD /.well-known/jwks.json",
    "HEAD /docs",
    "HEAD /docs/{name:str}",
    "HEAD /livez",
    "HEAD /openapi.json",
    "HEAD /readyz",
    "POST /login",
    "POST /oauth/introspect",
    "POST /oauth/revoke",
    "POST /refresh-token",
    "POST /safe-input",
    "POST /token",
]

BEARER_CHALLENGE = 'Bearer realm="edge"'
INVALID_TOKEN = 'Bearer realm="edge", error="invalid_token"'
BASIC_CHALLENGE = 'Basic realm="edge", charset="UTF-8"'


def methods_and_handlers(route: BaseRoute) -> list[tuple[str, object]]:
    handlers = getattr(route, "route_handler_map", {})
    return [(method, handler[0]) for method, handler in handlers.items()]


def public_routes(app: Litestar) -> list[str]:
    return sorted(
        f"{method} {route.path}"
        for route in app.routes
        for method, handler in methods_and_handlers(route)
        if not accepted_methods(getattr(handler, "opt", {}))
    )


def test_the_service_has_nothing_that_its_entry_leaves_out(settings: Settings) -> None:
    """`entry` goes past Litestar's `before_send`, so the service may have none."""
    assert create_app(settings).before_send == []


async def test_the_public_routes_are_these_and_no_others(settings: Settings) -> None:
    """Everything is protected unless it is in this list."""
    found = public_routes(create_app(settings))
    print("\n".join(found))  # noqa: T201  # for whoever reviews a change of the list

    assert found == PUBLIC_ROUTES


async def test_every_other_route_refuses_a_stranger(app: RunningApp, settings: Settings) -> None:
    """A route that is not in the list answers 401 without credentials, whatever it is."""
    asked = 0
    for route in create_app(settings).routes:
        for method, _ in methods_and_handlers(route):
            if f"{method} {route.path}" not in PUBLIC_ROUTES:
                path = re.sub(r"{\w+:str}", "an-id", route.path)
                answer = await app.http.request(method, path)
                assert answer.status_code == 401, (method, route.path)
                asked += 1

    assert asked >= 10


@pytest.mark.parametrize(
    ("path", "admin", "moderator", "user"),
    [
        ("/bearer-protected", 200, 200, 200),
        ("/secure-data", 200, 200, 200),
        ("/users/me", 200, 200, 200),
        ("/admin-area", 200, 403, 403),
        ("/moderator-area", 403, 200, 403),
        ("/user-area", 403, 403, 200),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_roles_match_exactly(
    shared_app: RunningApp, path: str, admin: int, moderator: int, user: int
) -> None:
    """Without a configured hierarchy a role opens its own area and nothing else."""
    for username, expected in (("admin", admin), ("moderator", moderator), ("user", user)):
        token = (await shared_app.login(username))["access_token"]
        assert (await shared_app.get(path, token)).status_code == expected, username


async def test_a_role_includes_others_where_that_is_configured(settings: Settings) -> None:
    """With `admin` including `moderator` including `user`, an admin may enter all three areas."""
    includes: dict[str, tuple[str, ...]] = {"admin": ("moderator",), "moderator": ("user",)}
    access = msgspec.structs.replace(settings.access, role_includes=includes)
    async with running_service(msgspec.structs.replace(settings, access=access)) as app:
        await app.add_user("boss", ["admin"])
        token = (await app.login("boss"))["access_token"]
        areas = ("/admin-area", "/moderator-area", "/user-area")

        assert [(await app.get(area, token)).status_code for area in areas] == [200, 200, 200]


async def test_a_missing_role_is_403_without_a_challenge(app: RunningApp) -> None:
    """Other credentials of the same person would not help, so none are asked for."""
    token = (await app.login("user"))["access_token"]
    answer = await app.get("/admin-area", token)

    assert (answer.status_code, answer.json()["code"]) == (403, "role_missing")
    assert "www-authenticate" not in answer.headers


async def test_a_missing_scope_is_403_that_names_the_scope(app: RunningApp) -> None:
    """RFC 6750 section 3.1: insufficient_scope says which scope would do."""
    token = (await app.login("admin", scope="admin"))["access_token"]
    answer = await app.get("/secure-data", token)

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="edge", error="insufficient_scope", scope="profile"'
    )


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("path", "authorization", "status", "code", "challenge"),
    [
        ("/bearer-protected", None, 401, "credentials_missing", BEARER_CHALLENGE),
        ("/bearer-protected", "Bearer x.y.z", 401, "token_malformed", INVALID_TOKEN),
        ("/bearer-protected", "bEaReR   x.y.z", 401, "token_malformed", INVALID_TOKEN),
        ("/bearer-protected", basic("user:x"), 401, "credentials_missing", BEARER_CHALLENGE),
        ("/bearer-protected", "Digest x", 401, "credentials_missing", BEARER_CHALLENGE),
        ("/bearer-protected", "Bearer", 400, "authorization_malformed", None),
        ("/bearer-protected", "Bearer a b", 400, "authorization_malformed", None),
        ("/bearer-protected", "", 400, "authorization_malformed", None),
        ("/basic-protected", None, 401, "credentials_missing", BASIC_CHALLENGE),
        ("/basic-protected", basic("user:wrong"), 401, "credentials_invalid", BASIC_CHALLENGE),
        ("/basic-protected", basic("nobody:wrong"), 401, "credentials_invalid", BASIC_CHALLENGE),
        ("/basic-protected", basic("no colon"), 400, "authorization_malformed", None),
        ("/basic-protected", "Basic !!!", 400, "authorization_malformed", None),
        ("/basic-protected", "Bearer x.y.z", 401, "credentials_missing", BASIC_CHALLENGE),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_credentials_that_do_not_hold_get_the_right_challenge(
    shared_app: RunningApp,
    path: str,
    authorization: str | None,
    status: int,
    code: str,
    challenge: str | None,
) -> None:
    """401 challenges for what the route takes, `invalid_token` only when a token was sent."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await shared_app.http.get(path, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("www-authenticate") == challenge


async def test_two_authorization_fields_are_a_400(app: RunningApp) -> None:
    """Which of the two is meant is not for us to guess."""
    token = (await app.login("user"))["access_token"]
    field = ("Authorization", f"Bearer {token}")
    answer = await app.http.get("/bearer-protected", headers=[field, field])

    assert (answer.status_code, answer.json()["code"]) == (400, "authorization_repeated")


async def test_a_token_in_the_query_is_no_token(app: RunningApp) -> None:
    """URLs end up in logs; RFC 9700 forbids tokens there."""
    token = (await app.login("user"))["access_token"]
    answer = await app.http.get("/bearer-protected", params={"access_token": token})

    assert (answer.status_code, answer.json()["code"]) == (401, "credentials_missing")


async def test_basic_takes_the_password_as_it_is(app: RunningApp) -> None:
    """The first colon splits, the rest is the password, in UTF-8 and in any normal form."""
    password = "sch\u00f6n:g\u00fcnstig:und-r\u00e4tselhaft-41"
    added = await app.edge.accounts.add("elke", password)
    assert isinstance(added, User)
    for form in (password, password.replace("\u00f6", "o\u0308")):
        answer = await app.http.get(
            "/basic-protected", headers={"Authorization": basic(f"elke:{form}")}
        )
        assert answer.status_code == 200


async def test_a_path_that_only_looks_public_is_not(app: RunningApp) -> None:
    """Routes are matched by Litestar, and none is opened by a pattern on the path."""
    for path in ("/admin-area/", "/admin-area;x", "/ADMIN-AREA", "/livez/admin-area"):
        assert (await app.get(path)).status_code in (401, 404), path
    for path in ("//admin-area", "/%61dmin-area", "/livez/..;/admin-area", "/livez%2f..%2fadmin"):
        answer = await app.http.get(httpx.URL("http://edge.test", raw_path=path.encode()))
        assert (answer.status_code, answer.json()["code"]) == (400, "path_ambiguous"), path


async def test_users_see_themselves_and_administrators_see_everybody(app: RunningApp) -> None:
    """By id: oneself or anybody for an admin, else 404, as for who does not exist."""
    ids = {
        name: (await app.get("/users/me", (await app.login(name))["access_token"])).json()["id"]
        for name in ("admin", "user")
    }
    as_user = (await app.login("user"))["access_token"]
    as_admin = (await app.login("admin"))["access_token"]
    nobody = "01890000-0000-7000-8000-000000000000"

    assert (await app.get(f"/users/{ids['user']}", as_user)).json()["username"] == "user"
    assert (await app.get(f"/users/{ids['admin']}", as_user)).status_code == 404
    assert (await app.get(f"/users/{ids['user']}", as_admin)).json()["username"] == "user"
    assert (await app.get(f"/users/{nobody}", as_admin)).status_code == 404
    assert (await app.get("/users/not-an-id", as_admin)).status_code == 404


async def test_the_profile_holds_no_secret(app: RunningApp) -> None:
    """`/users/me` says who one is and nothing about the password."""
    profile = (await app.get("/users/me", (await app.login("user"))["access_token"])).json()

    assert set(profile) == {
        "id",
        "username",
        "email",
        "full_name",
        "roles",
        "is_disabled",
        "created_at",
        "updated_at",
    }


async def test_example_routes_can_be_left_out(settings: Settings) -> None:
    """With `EDGE_EXAMPLE_ROUTES=false` the areas are not there, everything else is."""
    async with running_service(msgspec.structs.replace(settings, example_routes=False)) as app:
        await app.add_user("someone", ["admin"])
        token = (await app.login("someone"))["access_token"]

        assert (await app.get("/admin-area", token)).status_code == 404
        assert (await app.get("/users/me", token)).status_code == 200


async def test_a_verified_token_says_who_it_is_for(app: RunningApp) -> None:
    """RFC 9068: the header has `typ` and `kid`, the payload every claim."""
    token = (await app.login("admin"))["access_token"]
    header, payload = (
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        for part in token.split(".")[:2]
    )
    jwks = (await app.get("/.well-known/jwks.json")).json()

    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert header["kid"] in {key["kid"] for key in jwks["keys"]}
    assert {"iss", "sub", "aud", "exp", "iat", "jti", "client_id"} <= set(payload)
    assert {"scope", "roles", "sid", "epoch"} <= set(payload)
    assert payload["roles"] == ["admin"]
    assert (await app.http.get("/users/me", headers=bearer(token))).json()["id"] == payload["sub"]


async def test_the_jwks_shows_public_parts_only(app: RunningApp) -> None:
    """RFC 7517: what verifies is published, what signs is not."""
    answer = await app.get("/.well-known/jwks.json")
    (key,) = answer.json()["keys"]

    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert {"kid", "use", "alg", "kty", "crv", "x", "y"} == set(key)
