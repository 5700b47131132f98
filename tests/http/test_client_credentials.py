"""Clients at `/token`: who they are, what they may use, and tokens of their own."""

import base64
import json
from typing import Any

import msgspec
import pytest

from edge.settings import Settings
from tests.support.app import RunningApp, running_service
from tests.support.oauth import OAuthClient, add_client, built_in
from tests.support.secrets import remember


def payload_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


async def service(app: RunningApp, client_id: str = "billing", **options: Any) -> OAuthClient:  # noqa: ANN401  # those of `Clients.add`
    return await add_client(
        app, client_id, scopes=["profile", "moderate"], roles=["user"], **options
    )


async def error_of(client: OAuthClient, **form: str) -> tuple[int, str]:
    answer = await client.post("/token", **form)
    return answer.status_code, answer.json()["error"]


async def test_a_client_gets_a_token_of_its_own(app: RunningApp) -> None:
    """The token is for the client's service account: no session, no refresh token."""
    tokens = await (await service(app)).sign_in()
    claims = payload_of(tokens["access_token"])

    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope"}
    assert tokens["scope"] == "moderate profile"
    assert (claims["sub"], claims["client_id"]) == ("client:billing", "billing")
    assert (claims["scope"], claims["roles"]) == ("moderate profile", ["user"])
    assert "sid" not in claims


async def test_a_service_account_enters_by_its_roles_and_scopes(app: RunningApp) -> None:
    """The principal is the client, with what was given to it and no more."""
    token = (await (await service(app)).sign_in())["access_token"]
    who = (await app.get("/user-area", token)).json()

    assert (who["subject"], who["roles"]) == ("client:billing", ["user"])
    assert who["scopes"] == ["moderate", "profile"]
    assert (await app.get("/secure-data", token)).status_code == 200
    assert (await app.get("/admin-area", token)).status_code == 403


@pytest.mark.parametrize(
    ("scope", "granted"),
    [("profile", "profile"), ("profile admin", "profile"), ("admin", None), ("nonsense", None)],
)
async def test_a_client_asks_for_its_scopes_as_users_do(
    app: RunningApp, scope: str, granted: str | None
) -> None:
    """Scopes it may not have are left out; where none is left, or one is unknown, it is refused."""
    client = await service(app)
    if granted is None:
        form = {"grant_type": "client_credentials", "scope": scope}
        assert await error_of(client, **form) == (400, "invalid_scope")
    else:
        assert (await client.sign_in(scope=scope))["scope"] == granted


async def test_no_client_is_mistaken_for_a_user(app: RunningApp) -> None:
    """A client whose id is a user's id is still another subject, and no user to any route."""
    user = await app.edge.accounts.find_by_name("admin")
    assert user is not None
    token = (await (await service(app, str(user.id))).sign_in())["access_token"]

    assert payload_of(token)["sub"] == f"client:{user.id}"
    assert (await app.get(f"/users/{user.id}", token)).status_code == 404
    refused = await app.get("/users/me", token)
    assert (refused.status_code, refused.json()["code"]) == (403, "user_needed")


async def test_a_client_may_use_the_grants_it_was_given(app: RunningApp) -> None:
    """Any other grant type is `unauthorized_client`, also for the built-in client."""
    machine = await service(app)
    phone = await add_client(app, "phone", is_confidential=False, scopes=["profile"])
    password = {"username": "user", "password": app.passwords["user"]}

    unauthorized = (400, "unauthorized_client")
    assert await error_of(machine, grant_type="password", **password) == unauthorized
    assert await error_of(machine, grant_type="refresh_token", refresh_token="x") == unauthorized
    for client in (phone, built_in(app)):
        assert await error_of(client, grant_type="client_credentials") == unauthorized


async def test_users_log_in_through_other_clients_with_less_scope(app: RunningApp) -> None:
    """A user gets from a client what both may have; the token names the client."""
    phone = await add_client(app, "phone", is_confidential=False, scopes=["profile", "moderate"])
    tokens = await phone.login("admin")

    assert tokens["scope"] == "moderate profile"
    assert payload_of(tokens["access_token"])["client_id"] == "phone"


async def test_a_refresh_token_is_good_for_its_client_only(app: RunningApp) -> None:
    """Another client can neither use it nor, with an old one, end the session."""
    phone = await add_client(app, "phone", is_confidential=False, scopes=["profile"])
    thief = await add_client(app, "thief", is_confidential=False, scopes=["profile"])
    first = (await phone.login("user"))["refresh_token"]
    second = (await phone.refresh(first)).json()["refresh_token"]
    third = (await phone.refresh(second)).json()["refresh_token"]

    for stolen in (first, second, third):
        for client in (thief, built_in(app)):
            answer = await client.refresh(stolen)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        body = {"refresh_token": stolen}
        assert (await app.http.post("/refresh-token", json=body)).status_code == 401
    assert (await phone.refresh(third)).status_code == 200


async def test_a_confidential_client_must_prove_itself_at_each_refresh(app: RunningApp) -> None:
    """Who has the refresh token and not the secret gets nothing."""
    options = {"grants": ["password", "refresh_token"]}
    portal = await add_client(app, "portal", scopes=["profile"], **options)
    token = (await portal.login("user"))["refresh_token"]
    stranger = OAuthClient(app, "portal", None)
    answer = await stranger.refresh(token)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await portal.refresh(token)).status_code == 200


async def test_a_client_without_refresh_gets_no_refresh_token(app: RunningApp) -> None:
    """A client with nothing but the password grant is given nothing that it may not use."""
    kiosk = await add_client(app, "kiosk", is_confidential=False, grants=["password"])

    assert "refresh_token" not in await kiosk.login("user")


async def test_a_disabled_client_is_out_at_once(app: RunningApp) -> None:
    """Its tokens, its users' sessions and its own authentication end; enabling brings none back."""
    portal = await add_client(
        app,
        "portal",
        scopes=["profile"],
        grants=["password", "refresh_token", "client_credentials"],
    )
    own, users = await portal.sign_in(), await portal.login("user")
    other = await app.login("user")
    await app.edge.clients.disable("portal")

    for token in (own["access_token"], users["access_token"]):
        assert (await app.get("/bearer-protected", token)).json()["code"] == "token_revoked"
    answer = await portal.refresh(users["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await app.get("/bearer-protected", other["access_token"])).status_code == 200
    await app.edge.clients.enable("portal")
    answer = await portal.refresh(users["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await app.get("/bearer-protected", own["access_token"])).status_code == 401
    again = await portal.sign_in()
    assert (await app.get("/bearer-protected", again["access_token"])).status_code == 200


async def test_a_new_secret_leaves_tokens_alone(app: RunningApp) -> None:
    """Rotating refuses the old secret and nothing else."""
    client = await service(app)
    token = (await client.sign_in())["access_token"]
    rotated = await app.edge.clients.rotate_secret("billing")
    assert rotated is not None
    secret = getattr(rotated, "secret", None)
    assert isinstance(secret, str)
    remember(secret)

    assert await error_of(client, grant_type="client_credentials") == (401, "invalid_client")
    assert (await app.get("/bearer-protected", token)).status_code == 200
    assert await OAuthClient(app, "billing", secret).sign_in()


async def test_secrets_may_come_in_the_body(app: RunningApp) -> None:
    """RFC 6749 section 2.3.1: id and secret as parameters do what Basic does."""
    client = await service(app)
    assert client.secret is not None
    form = {
        "grant_type": "client_credentials",
        "client_id": client.id,
        "client_secret": client.secret,
    }

    assert (await app.http.post("/token", data=form)).status_code == 200


async def test_json_logins_are_the_built_in_clients(app: RunningApp) -> None:
    """`/login` and `/refresh-token` are for first-party apps: their tokens name that client."""
    tokens = await app.login("user")

    assert payload_of(tokens["access_token"])["client_id"] == "first-party"
    assert (await built_in(app).refresh(tokens["refresh_token"])).status_code == 200


async def test_passwords_can_be_turned_off_for_every_client(settings: Settings) -> None:
    """With `EDGE_TOKENS_PASSWORD_GRANT=false` no client's grant brings them back."""
    off = msgspec.structs.replace(settings.tokens, password_grant=False)
    async with running_service(msgspec.structs.replace(settings, tokens=off)) as app:
        phone = await add_client(app, "phone", is_confidential=False)
        form = {"grant_type": "password", "username": "a", "password": "b"}

        assert await error_of(phone, **form) == (400, "unsupported_grant_type")
