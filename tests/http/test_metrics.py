"""The metrics of a worker."""

from edge.telemetry.limits import LimitCounts
from edge.telemetry.metrics import Metrics
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


async def test_what_is_decided_about_rates_is_counted(app: RunningApp) -> None:
    """By policy and outcome; how many share a round trip, and how long it takes, as sums."""
    token = (await app.login("admin"))["access_token"]
    lines = (await app.get("/metrics", token)).text.splitlines()
    assert "# TYPE edge_rate_limit_decisions_total counter" in lines
    assert "edge_rate_limit_batch_requests_count 0" in lines  # there is no Redis
    assert "edge_rate_limit_round_trip_seconds_sum 0.0" in lines


def test_round_trips_are_counted_and_summed() -> None:
    """From two sums and two counts follow the mean batch and the mean round trip."""
    metrics, counts = Metrics(), LimitCounts()
    counts.show_in(metrics)
    counts.round_trip(requests=3, seconds=0.25)
    counts.round_trip(requests=1, seconds=0.5)
    lines = metrics.render().splitlines()
    assert "edge_rate_limit_batch_requests_sum 4.0" in lines
    assert "edge_rate_limit_batch_requests_count 2" in lines
    assert "edge_rate_limit_round_trip_seconds_sum 0.75" in lines
