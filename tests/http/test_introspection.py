"""`POST /oauth/introspect` after RFC 7662."""

from typing import Any

import pytest

from tests.support.app import RunningApp
from tests.support.oauth import OAuthClient, add_client, built_in

NOT_ACTIVE = {"active": False}


@pytest.fixture
async def portal(app: RunningApp) -> OAuthClient:
    """A client that sees its own tokens only."""
    grants = ["password", "refresh_token", "client_credentials"]
    return await add_client(app, "portal", scopes=["profile", "moderate"], grants=grants)


@pytest.fixture
async def gateway(app: RunningApp) -> OAuthClient:
    """A client that may ask about every token of this Edge."""
    return await add_client(app, "gateway", may_introspect=True)


async def told(client: OAuthClient, token: str) -> dict[str, Any]:
    answer = await client.introspect(token)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    facts: dict[str, Any] = answer.json()
    return facts


async def test_of_a_good_access_token_everything_useful_is_told(
    app: RunningApp, portal: OAuthClient
) -> None:
    """Section 2.2: what the token says, in the members that are defined for it."""
    user = await app.edge.accounts.find_by_name("moderator")
    assert user is not None
    facts = await told(portal, (await portal.login("moderator"))["access_token"])

    assert facts.pop("exp") - facts.pop("iat") == 900
    assert len(facts.pop("jti")) == 36
    assert facts == {
        "active": True,
        "scope": "moderate profile",
        "client_id": "portal",
        "token_type": "Bearer",
        "sub": str(user.id),
        "aud": "edge",
        "iss": app.edge.settings.base_url,
    }


async def test_of_a_service_account_too(portal: OAuthClient) -> None:
    """The subject of a token that a client got for itself is its service account."""
    facts = await told(portal, (await portal.sign_in())["access_token"])

    assert (facts["active"], facts["sub"]) == (True, "client:portal")


async def test_of_a_refresh_token_there_is_less_to_tell(
    app: RunningApp, portal: OAuthClient
) -> None:
    """It is for nobody but Edge and has neither id nor type; it ends when the session would."""
    user = await app.edge.accounts.find_by_name("user")
    assert user is not None
    facts = await told(portal, (await portal.login("user"))["refresh_token"])

    assert facts.pop("exp") - facts.pop("iat") == app.edge.settings.tokens.refresh_idle_s
    assert facts == {
        "active": True,
        "scope": "profile",
        "client_id": "portal",
        "sub": str(user.id),
        "iss": app.edge.settings.base_url,
    }


async def test_only_the_newest_refresh_token_is_active(portal: OAuthClient) -> None:
    """The predecessor, even within the overlap, is not what the session goes on with."""
    first = (await portal.login("user"))["refresh_token"]
    second = (await portal.refresh(first)).json()["refresh_token"]

    assert await told(portal, first) == NOT_ACTIVE
    assert (await told(portal, second))["active"]


async def test_asking_changes_nothing(portal: OAuthClient) -> None:
    """A look at an old refresh token is no reuse, and the newest one is not used up."""
    first = (await portal.login("user"))["refresh_token"]
    second = (await portal.refresh(first)).json()["refresh_token"]
    third = (await portal.refresh(second)).json()["refresh_token"]
    for token in (first, second, third):
        await told(portal, token)

    assert (await portal.refresh(third)).status_code == 200


async def test_what_was_revoked_is_not_active(app: RunningApp, portal: OAuthClient) -> None:
    """Tokens revoked by themselves, with their session or with their user are all dead."""
    single, logged_out, changed = [await portal.login("user") for _ in range(3)]
    await portal.revoke(single["access_token"])
    assert await told(portal, single["access_token"]) == NOT_ACTIVE
    await portal.revoke(logged_out["refresh_token"])
    for token in (logged_out["access_token"], logged_out["refresh_token"]):
        assert await told(portal, token) == NOT_ACTIVE
    user = await app.edge.accounts.find_by_name("user")
    assert user is not None
    await app.edge.accounts.disable(user)
    for token in (changed["access_token"], changed["refresh_token"]):
        assert await told(portal, token) == NOT_ACTIVE


@pytest.mark.parametrize("token", ["x", "a.b.c", "edge_rt_" + "A" * 76, "\u00e4", "x" * 10_000])
async def test_of_what_is_no_token_nothing_is_told(gateway: OAuthClient, token: str) -> None:
    """Section 2.2: `active` is false and there is no other member to say why."""
    assert await told(gateway, token) == NOT_ACTIVE


async def test_a_client_sees_its_own_tokens_only(
    app: RunningApp, portal: OAuthClient, gateway: OAuthClient
) -> None:
    """Another client's tokens are as unknown to it as junk, unless it may introspect."""
    of_others = [await app.login("user"), await built_in(app).login("user")]
    for tokens in of_others:
        for token in (tokens["access_token"], tokens["refresh_token"]):
            assert await told(portal, token) == NOT_ACTIVE
            assert (await told(gateway, token))["client_id"] == "first-party"


async def test_only_clients_with_a_secret_may_ask(app: RunningApp, portal: OAuthClient) -> None:
    """Section 2.1: the endpoint requires authorization; a public client cannot give it."""
    token = (await portal.login("user"))["access_token"]
    phone = await add_client(app, "phone", is_confidential=False)
    strangers = [phone, built_in(app), OAuthClient(app, "portal", None)]
    strangers += [OAuthClient(app, "portal", "wrong"), OAuthClient(app, "nobody", "x")]
    for stranger in strangers:
        answer = await stranger.introspect(token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic realm=")
    answer = await app.http.post("/oauth/introspect", data={"token": token})
    assert answer.status_code == 401


async def test_a_bearer_token_does_not_open_the_endpoint(
    app: RunningApp, portal: OAuthClient
) -> None:
    """Who may enter routes may not ask about tokens: clients authenticate with their secret."""
    token = (await app.login("admin"))["access_token"]
    answer = await app.http.post(
        "/oauth/introspect", data={"token": token}, headers={"Authorization": f"Bearer {token}"}
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_the_hint_changes_nothing(portal: OAuthClient) -> None:
    """Section 2.1: whatever the hint, the token is found."""
    tokens = await portal.login("user")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        for hint in ("access_token", "refresh_token", "nonsense"):
            assert (await portal.introspect(token, token_type_hint=hint)).json()["active"]


async def test_a_token_must_be_named(portal: OAuthClient) -> None:
    """Section 2.1: the parameter `token` is required."""
    answer = await portal.post("/oauth/introspect")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
