"""What the log tells of clients."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.app import RunningApp
from tests.support.oauth import OAuthClient, add_client, built_in


@pytest.fixture
async def portal(app: RunningApp) -> OAuthClient:
    grants = ["password", "refresh_token", "client_credentials"]
    return await add_client(app, "portal", scopes=["profile"], grants=grants)


def named(logs: Any, name: str) -> list[dict[str, Any]]:  # noqa: ANN401  # as structlog gives them
    """Give the events of a name, without the fields of each request."""
    common = ("event", "log_level", "client_address", "request_id")
    found = [entry for entry in logs if entry["event"] == name]
    assert all(entry["client_address"] == "203.0.113.7" for entry in found)
    return [{key: entry[key] for key in entry if key not in common} for entry in found]


async def test_tokens_of_clients_are_recorded_when_issued_and_revoked(
    app: RunningApp, portal: OAuthClient
) -> None:
    """Each event says whose token it was, and by whom it was revoked."""
    user = await app.edge.accounts.find_by_name("user")
    assert user is not None
    tokens = await portal.login("user")
    with capture_logs() as logs:
        own = await portal.sign_in()
        await portal.revoke(own["access_token"])
        await portal.revoke(tokens["refresh_token"])
        await portal.revoke(tokens["refresh_token"])
    revoked = named(logs, "token.revoked")

    assert named(logs, "token.issued") == [{"principal": "client:portal"}]
    assert revoked[0] == {"principal": "client:portal", "by": "client:portal"}
    assert len(revoked) == 2
    assert revoked[1].pop("session")
    assert revoked[1] == {"principal": str(user.id), "by": "client:portal"}


async def test_failures_name_the_client_they_are_about_and_no_other(
    app: RunningApp, portal: OAuthClient
) -> None:
    """An id that is nobody's is not written down: it may be a secret in the wrong field."""
    await app.edge.clients.disable("portal")
    attempts = [
        OAuthClient(app, "portal", "a wrong secret"),
        OAuthClient(app, "nobody-of-this-name", "a wrong secret"),
        portal,
        built_in(app),
    ]
    with capture_logs() as logs:
        for client in attempts:
            assert (await client.introspect("x")).status_code == 401

    assert named(logs, "client.authentication_failed") == [
        {"principal": "client:portal", "reason": "client_credentials_invalid"},
        {"reason": "client_unknown"},
        {"principal": "client:portal", "reason": "client_disabled"},
        {"principal": "client:first-party", "reason": "client_is_public"},
    ]
    assert "nobody-of-this-name" not in str(logs)
