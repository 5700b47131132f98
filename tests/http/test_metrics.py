"""The metrics of a worker."""

from tests.support.app import RunningApp


async def test_the_revocation_lag_is_a_metric(app: RunningApp) -> None:
    """Administrators read how old the view of the revocations is, and how many there are."""
    token = (await app.login("admin"))["access_token"]
    other = (await app.login("user"))["access_token"]
    await app.http.post("/logout", headers={"Authorization": f"Bearer {other}"})
    answer = await app.get("/metrics", token)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    values = dict(line.split() for line in answer.text.splitlines() if not line.startswith("#"))
    assert 0 <= float(values["edge_revocation_lag_seconds"]) < 5
    assert float(values["edge_revocation_entries"]) == 1


async def test_metrics_are_for_administrators(app: RunningApp) -> None:
    """Others get 403, strangers 401."""
    token = (await app.login("user"))["access_token"]
    assert (await app.get("/metrics", token)).status_code == 403
    assert (await app.get("/metrics")).status_code == 401
