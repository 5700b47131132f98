"""One client address for whoever asks: limits, logs, sessions."""

import json
from pathlib import Path

from structlog.testing import capture_logs

from tests.support.app import make_settings, running_service

# Who asks in these tests, as httpx's transport says.
PROXIES = "203.0.113.7/32"
LIMIT = {"name": "per-address", "limit": 3, "window_s": 60, "algorithm": "log"}


async def test_limits_logs_and_sessions_know_one_address(tmp_path: Path) -> None:
    """That which the proxy names, without its port; a forged one in front of it changes nothing."""
    settings = make_settings(
        tmp_path,
        f"sqlite:///{tmp_path / 'edge.db'}",
        PROXIES_TRUSTED=PROXIES,
        RATELIMIT_POLICIES=json.dumps([LIMIT]),
    )
    async with running_service(settings) as app:
        await app.add_user("ann", ["user"])

        def arrive(client: str) -> None:
            app.http.headers["X-Forwarded-For"] = client

        with capture_logs() as logs:
            arrive("6.6.6.1, 198.51.100.1:50001")
            tokens = await app.login("ann")
            arrive("6.6.6.2, 198.51.100.1:50002")
            shown = await app.get("/sessions", tokens["access_token"])
            arrive("6.6.6.3, ::ffff:198.51.100.1")
            third = await app.get("/users/me")
            fourth = await app.get("/users/me")
            arrive("198.51.100.1, 198.51.100.2:50001")
            other = await app.get("/")
    (session,) = shown.json()["sessions"]
    assert session["address"] == "198.51.100.1"
    assert {entry["client_address"] for entry in logs if "client_address" in entry} == {
        "198.51.100.1"
    }
    assert {entry["event"] for entry in logs} >= {"login.succeeded", "access.denied"}
    assert [third.status_code, fourth.status_code, other.status_code] == [401, 429, 200]
