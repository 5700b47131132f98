"""`POST /token` after RFC 6749."""

from typing import Any

import httpx
import msgspec
import pytest

from edge.settings import Settings
from tests.support.app import RunningApp, running_service

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def post_form(app: RunningApp, body: str, **headers: str) -> httpx.Response:
    return await app.http.post("/token", content=body, headers={**FORM, **headers})


async def test_the_password_grant_answers_with_all_that_section_5_1_asks_for(
    app: RunningApp,
) -> None:
    """A right password gets a Bearer token, its lifetime, a refresh token and the scope."""
    form = {"grant_type": "password", "username": "admin", "password": app.passwords["admin"]}
    answer = await app.http.post("/token", data=form)

    tokens = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in", "scope"}
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    assert tokens["scope"].split() == ["admin", "moderate", "profile"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=password", "invalid_request"),
        ("grant_type=password&username=admin", "invalid_request"),
        ("grant_type=password&username=&password=x", "invalid_request"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=password&grant_type=password&username=a&password=b", "invalid_request"),
        ("grant_type=password&username=a&username=a&password=b", "invalid_request"),
        ("grant_type=password&scope=&scope=&username=a&password=b", "invalid_request"),
        ("grant_type=password&username=%ff&password=b", "invalid_request"),
        ("grant_type=password&username=%zz&password=b", "invalid_request"),
        ("grant_type=password&username=\u00e4\u00f6&password=b", "invalid_request"),
        ("&".join(f"p{number}=1" for number in range(200)), "invalid_request"),
        ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
        ("grant_type=PASSWORD&username=admin&password=x", "unsupported_grant_type"),
        ("grant_type=password&username=admin&password=wrong", "invalid_grant"),
        ("grant_type=password&username=nobody&password=wrong", "invalid_grant"),
        ("grant_type=password&username=a%00b&password=wrong", "invalid_grant"),
        ("grant_type=refresh_token&refresh_token=nonsense", "invalid_grant"),
        ("grant_type=refresh_token&refresh_token=nonsense&scope=%22", "invalid_scope"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_mistake_gets_the_error_that_section_5_2_names(
    shared_app: RunningApp, body: str, error: str
) -> None:
    """Each mistake is answered 400 with its error code, in JSON that no cache keeps."""
    answer = await post_form(shared_app, body)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("profile", {"scope": "profile"}),
        ("profile admin", {"scope": "profile"}),
        ("admin", {"error": "invalid_scope"}),
        ("unknown", {"error": "invalid_scope"}),
        ("profile unknown", {"error": "invalid_scope"}),
        ("profile  admin", {"error": "invalid_scope"}),
        ('pro"file', {"error": "invalid_scope"}),
    ],
)
async def test_a_login_gets_the_scopes_it_asks_for_and_may_have(
    app: RunningApp, scope: str, expected: dict[str, str]
) -> None:
    """Scopes the roles may not hold are left out; unknown or malformed ones are refused."""
    form = {
        "grant_type": "password",
        "username": "user",
        "password": app.passwords["user"],
        "scope": scope,
    }
    answer = await app.http.post("/token", data=form)

    assert expected.items() <= answer.json().items()


async def test_unknown_parameters_are_ignored_even_when_repeated(app: RunningApp) -> None:
    """Section 3.2: the server ignores parameters it does not know."""
    password = app.passwords["user"]
    body = f"grant_type=password&username=user&password={password}&x=1&x=2"

    assert (await post_form(app, body)).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", '{"grant_type": "password"}'),
        ("text/plain", "grant_type=password"),
        ("multipart/form-data; boundary=x", "--x--"),
    ],
)
async def test_a_body_that_is_not_a_form_is_an_invalid_request(
    app: RunningApp, content_type: str, body: str
) -> None:
    """The endpoint reads forms only."""
    answer = await app.http.post("/token", content=body, headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_parameters_in_the_query_are_refused(app: RunningApp) -> None:
    """Section 2.3.1: credentials must not be in the URI, where they would be logged."""
    answer = await app.http.post(
        "/token?grant_type=password", content="username=a&password=b", headers=FORM
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_huge_body_is_an_invalid_request(app: RunningApp) -> None:
    """Ten megabytes are refused, in the form this endpoint's errors have."""
    answer = await post_form(app, "x=" + "a" * 10_000_000)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "credentials",
    [
        {"headers": {"Authorization": "Basic YTpi"}},
        {"data": {"client_id": "somebody-else"}},
        {"data": {"client_secret": "guess"}},
    ],
)
async def test_a_client_that_is_not_the_built_in_one_is_unknown(
    app: RunningApp, credentials: dict[str, Any]
) -> None:
    """Section 5.2: failed client authentication is a 401 that says how to authenticate."""
    form = {"grant_type": "password", "username": "user", "password": app.passwords["user"]}
    answer = await app.http.post(
        "/token", data={**form, **credentials.get("data", {})}, headers=credentials.get("headers")
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith('Basic realm="')


async def test_the_built_in_client_may_name_itself(app: RunningApp) -> None:
    """`client_id` is optional for the first-party client, and accepted when right."""
    form = {
        "grant_type": "password",
        "client_id": "first-party",
        "username": "user",
        "password": app.passwords["user"],
    }

    assert (await app.http.post("/token", data=form)).status_code == 200


async def test_get_is_not_allowed_and_not_cached(app: RunningApp) -> None:
    """Section 3.2: the client must use POST; the answer to anything else is not kept either."""
    answer = await app.http.get("/token")

    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert answer.headers["cache-control"] == "no-store"


async def test_the_password_grant_can_be_turned_off(settings: Settings) -> None:
    """With `EDGE_TOKENS_PASSWORD_GRANT=false` the grant type is not supported, `/login` is."""
    off = msgspec.structs.replace(settings.tokens, password_grant=False)
    async with running_service(msgspec.structs.replace(settings, tokens=off)) as app:
        await app.add_user("someone")
        form = {
            "grant_type": "password",
            "username": "someone",
            "password": app.passwords["someone"],
        }
        answer = await app.http.post("/token", data=form)

        assert answer.json()["error"] == "unsupported_grant_type"
        assert await app.login("someone")


async def test_refreshing_rotates_and_an_old_token_is_an_invalid_grant(app: RunningApp) -> None:
    """A refresh token gets a new pair; the one before its predecessor ends the session."""
    first = (await app.login("user"))["refresh_token"]

    async def refresh(token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await app.http.post("/token", data=form)

    second = (await refresh(first)).json()["refresh_token"]
    third = (await refresh(second)).json()["refresh_token"]
    reused = await refresh(first)
    after = await refresh(third)

    assert len({first, second, third}) == 3
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert (after.status_code, after.json()["error"]) == (400, "invalid_grant")


async def test_a_refresh_may_narrow_the_scope_but_never_widen_it(app: RunningApp) -> None:
    """Section 6: the access token narrows, the session keeps its scope, more is refused."""
    tokens = await app.login("admin", scope="profile moderate")

    async def refresh(token: str, scope: str | None) -> dict[str, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        answer = await app.http.post("/token", data=form | ({"scope": scope} if scope else {}))
        body: dict[str, Any] = answer.json()
        return body

    narrowed = await refresh(tokens["refresh_token"], "profile")
    whole = await refresh(narrowed["refresh_token"], None)
    widened = await refresh(whole["refresh_token"], "profile admin")
    unharmed = await refresh(whole["refresh_token"], None)

    assert narrowed["scope"] == "profile"
    assert whole["scope"] == "moderate profile"
    assert widened["error"] == "invalid_scope"
    assert unharmed["scope"] == "moderate profile"
