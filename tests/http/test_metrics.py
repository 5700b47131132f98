"""What is counted of a worker, and who may read it at `/metrics`."""

from collections.abc import Mapping

from edge.telemetry.limits import LimitCounts
from tests.support.app import RunningApp, bearer
from tests.support.metrics import new_metrics, values_in


async def metrics_of(app: RunningApp) -> Mapping[str, float]:
    token = (await app.login("admin"))["access_token"]
    answer = await app.get("/metrics", token)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return values_in(answer.text)


def decisions(point: str, outcome: str, reason: str = "") -> str:
    return f'edge_decisions_total{{point="{point}",outcome="{outcome}",reason="{reason}"}}'


def requests(route: str, status: int) -> str:
    return f'edge_http_requests_total{{route="{route}",status="{status}"}}'


async def test_the_revocation_lag_is_a_metric(app: RunningApp) -> None:
    """Administrators read how old the view of the revocations is, and how many there are."""
    other = (await app.login("user"))["access_token"]
    await app.http.post("/logout", headers=bearer(other))
    values = await metrics_of(app)
    assert 0 <= values["edge_revocation_lag_seconds"] < 5
    assert values["edge_revocation_entries"] == 1


async def test_metrics_are_for_administrators(app: RunningApp) -> None:
    """Others get 403, strangers 401."""
    token = (await app.login("user"))["access_token"]
    assert (await app.get("/metrics", token)).status_code == 403
    assert (await app.get("/metrics")).status_code == 401


async def test_requests_are_counted_by_route_and_status(app: RunningApp) -> None:
    """Each once, by the template of its route; paths that are not there share one label."""
    for path in ("/nowhere", "/nowhere-else", "/sessions/1/2/3"):
        await app.get(path)
    await app.http.patch("/login")
    for _ in range(3):
        await app.get("/livez")
    values = await metrics_of(app)
    assert values[requests("unmatched", 404)] == 3
    assert values[requests("unmatched", 405)] == 1
    assert values[requests("/livez", 200)] == 3
    assert values['edge_http_request_duration_seconds_count{route="/livez"}'] >= 3
    assert values['edge_http_request_duration_seconds_bucket{route="/livez",le="+Inf"}'] >= 3
    assert not any("nowhere" in name for name in values)


async def test_decisions_are_counted_by_reason(app: RunningApp) -> None:
    """Who is let in, who is not and why; what a guard refuses counts as refused only."""
    token = (await app.login("user"))["access_token"]
    before = await metrics_of(app)
    await app.get("/users/me", token)
    await app.get("/users/me", "rubbish")
    await app.get("/users/me")
    await app.get("/metrics", token)
    after = await metrics_of(app)
    grown = {name: after[name] - before.get(name, 0) for name in after if "decisions" in name}
    assert {name: value for name, value in grown.items() if value} == {
        decisions("route", "allowed"): 2,  # the other one is the first reading itself
        decisions("route", "refused", "credentials_missing"): 1,
        decisions("route", "refused", "token_malformed"): 1,
        decisions("route", "refused", "role_missing"): 1,
    }


async def test_security_events_are_counted(app: RunningApp) -> None:
    """By name, and each is 0 before it happens: an alert on its growth would miss the first."""
    await app.http.post("/login", json={"username": "user", "password": "not this one, surely"})
    values = await metrics_of(app)
    assert values['edge_security_events_total{event="login.failed"}'] == 1
    assert values['edge_security_events_total{event="token.reuse_detected"}'] == 0


async def test_checks_of_tokens_are_counted(app: RunningApp) -> None:
    """All of them, and those for which a signature had to be looked at; the rest was remembered."""
    token = (await app.login("user"))["access_token"]
    for _ in range(5):
        await app.get("/users/me", token)
    values = await metrics_of(app)
    assert values["edge_token_checks_total"] == 6
    assert values["edge_token_cache_misses_total"] == 2
    assert values["edge_token_cache_entries"] == 2


async def test_what_is_decided_about_rates_is_counted(app: RunningApp) -> None:
    """By policy and outcome; how many share a round trip, and how long it takes, as sums."""
    token = (await app.login("admin"))["access_token"]
    lines = (await app.get("/metrics", token)).text.splitlines()
    assert "# TYPE edge_rate_limit_decisions_total counter" in lines
    assert "edge_rate_limit_batch_requests_count 0" in lines  # there is no Redis
    assert "edge_rate_limit_round_trip_seconds_sum 0" in lines


async def test_a_worker_says_what_it_is_and_has(app: RunningApp) -> None:
    """Its version, whether it drains, its connections; one that nobody waits for is no wait."""
    app.edge.draining.begin()
    values = await metrics_of(app)
    assert values["edge_draining"] == 1
    assert values["edge_workers"] == 1
    assert values["edge_worker_silence_seconds"] < 2
    assert 0 <= values["edge_sql_connections_in_use"] <= values["edge_sql_connections_most"]
    assert values["edge_sql_connection_waits_total"] == 0
    assert values["edge_password_hashes_running"] == values["edge_password_hashes_waiting"] == 0
    (build,) = [name for name in values if name.startswith("edge_build_info")]
    assert 'version="' in build


def test_round_trips_are_counted_and_summed() -> None:
    """From two sums and two counts follow the mean batch and the mean round trip."""
    metrics = new_metrics()
    counts = LimitCounts(metrics)
    counts.round_trip(requests=3, seconds=0.25)
    counts.round_trip(requests=1, seconds=0.5)
    lines = metrics.render().splitlines()
    assert "edge_rate_limit_batch_requests_sum 4" in lines
    assert "edge_rate_limit_batch_requests_count 2" in lines
    assert "edge_rate_limit_round_trip_seconds_sum 0.75" in lines
