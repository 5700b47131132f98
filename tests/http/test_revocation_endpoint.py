"""`POST /oauth/revoke` after RFC 7009."""

from typing import NoReturn

import pytest

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.stores.tables import revocations, sessions
from tests.support.app import RunningApp
from tests.support.oauth import OAuthClient, add_client, built_in
from tests.support.stores import rows_of


@pytest.fixture
async def phone(app: RunningApp) -> OAuthClient:
    return await add_client(app, "phone", is_confidential=False, scopes=["profile"])


async def test_a_refresh_token_ends_its_session(app: RunningApp, phone: OAuthClient) -> None:
    """Section 2.1: with the refresh token die the access tokens of the same grant."""
    tokens = await phone.login("user")
    answer = await phone.revoke(tokens["refresh_token"])

    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["cache-control"] == "no-store"
    refused = await phone.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    code = (await app.get("/users/me", tokens["access_token"])).json()["code"]
    assert code == "token_revoked"


async def test_an_access_token_dies_alone(app: RunningApp, phone: OAuthClient) -> None:
    """The session it came from goes on, and so do other tokens of the same user."""
    tokens, others = await phone.login("user"), await phone.login("user")
    assert (await phone.revoke(tokens["access_token"])).json() == {}

    code = (await app.get("/users/me", tokens["access_token"])).json()["code"]
    assert code == "token_revoked"
    assert (await app.get("/users/me", others["access_token"])).status_code == 200
    renewed = (await phone.refresh(tokens["refresh_token"])).json()["access_token"]
    assert (await app.get("/users/me", renewed)).status_code == 200


async def test_an_old_refresh_token_ends_the_session_too(
    app: RunningApp, phone: OAuthClient
) -> None:
    """Who lost the answer to a refresh can still log out with what is at hand."""
    tokens = await phone.login("user")
    renewed = (await phone.refresh(tokens["refresh_token"])).json()
    assert (await phone.revoke(tokens["refresh_token"])).json() == {}

    assert (await app.get("/users/me", renewed["access_token"])).status_code == 401
    assert (await phone.refresh(renewed["refresh_token"])).status_code == 400


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_hint_changes_nothing(
    app: RunningApp, phone: OAuthClient, kind: str, hint: str
) -> None:
    """Section 2.1: a hint that is wrong or unknown is ignored, and the token is found."""
    tokens = await phone.login("user")
    answer = await phone.revoke(tokens[kind], token_type_hint=hint)

    assert answer.status_code == 200
    assert (await app.get("/users/me", tokens["access_token"])).status_code == 401


async def test_what_is_no_token_is_answered_like_one(app: RunningApp, phone: OAuthClient) -> None:
    """Section 2.2: there is nothing to end, which is what the client wanted; nothing is stored."""
    access_token = (await phone.login("user"))["access_token"]
    head, body, signature = access_token.split(".")
    forged = f"{head}.{body}.{signature[::-1]}"
    for token in ("x", "a.b.c", forged, "edge_rt_" + "A" * 76, "\u00e4" * 9, "x" * 10_000):
        answer = await phone.revoke(token)
        assert (answer.status_code, answer.json()) == (200, {}), token
    assert await rows_of(app.edge.database, revocations) == []


async def test_revoking_twice_is_no_error_and_recorded_once(
    app: RunningApp, phone: OAuthClient
) -> None:
    """A client that got no answer may ask again."""
    tokens = await phone.login("user")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert [(await phone.revoke(token)).json() for _ in range(2)] == [{}, {}]
    assert len(await rows_of(app.edge.database, revocations)) == 2


async def test_the_token_of_another_client_is_refused_and_lives(
    app: RunningApp, phone: OAuthClient
) -> None:
    """Section 2.1: the server checks for whom the token was issued; nothing is revoked."""
    tokens = await phone.login("user")
    thief = await add_client(app, "thief", is_confidential=False)
    for client in (thief, built_in(app)):
        for token in (tokens["access_token"], tokens["refresh_token"]):
            answer = await client.revoke(token)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    assert await rows_of(app.edge.database, revocations) == []
    assert len(await rows_of(app.edge.database, sessions, revoked_at_ms=None)) == 1
    assert (await app.get("/users/me", tokens["access_token"])).status_code == 200


async def test_a_confidential_client_must_prove_itself(app: RunningApp) -> None:
    """Section 2.1: the server first validates the client's credentials."""
    client = await add_client(app, "billing", scopes=["profile"])
    token = (await client.sign_in())["access_token"]
    for stranger in (OAuthClient(app, "billing", None), OAuthClient(app, "billing", "wrong")):
        answer = await stranger.revoke(token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    assert (await app.get("/bearer-protected", token)).status_code == 200
    assert (await client.revoke(token)).status_code == 200
    assert (await app.get("/bearer-protected", token)).status_code == 401


async def test_a_first_party_app_revokes_without_naming_itself(app: RunningApp) -> None:
    """Who names no client is the built-in one, as at `/token`."""
    tokens = await app.login("user")
    answer = await app.http.post("/oauth/revoke", data={"token": tokens["refresh_token"]})

    assert answer.status_code == 200
    assert (await app.get("/users/me", tokens["access_token"])).status_code == 401


async def test_a_token_must_be_named(phone: OAuthClient) -> None:
    """Section 2.1: the parameter `token` is required."""
    answer = await phone.post("/oauth/revoke")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_without_a_store_nothing_is_said_to_be_revoked(
    app: RunningApp, phone: OAuthClient
) -> None:
    """Section 2.2.1: 503 with Retry-After, so that the client knows the token still exists."""
    tokens = await phone.login("user")
    app.edge.database.reading = _away  # type: ignore[method-assign] # the store goes away
    answer = await phone.revoke(tokens["refresh_token"])

    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["cache-control"] == "no-store"


def _away() -> NoReturn:
    raise UnavailableError(Reason.STORE_UNAVAILABLE)
