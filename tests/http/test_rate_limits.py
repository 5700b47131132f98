"""Rate limits over HTTP: who is charged, what they are told, and what is never limited."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, get
from litestar.testing import AsyncTestClient

from edge import EdgePlugin
from edge.http.enforcement import PUBLIC, spend
from edge.ratelimit.policy import Policy
from edge.settings import SettingsError, load
from tests.support.app import (
    TEST_ENVIRONMENT,
    RunningApp,
    bearer,
    make_settings,
    new_password,
    running_service,
)

Run = Callable[..., Any]

PER_ADDRESS = {"name": "per-address", "limit": 3, "window_s": 60, "algorithm": "log"}
PER_PRINCIPAL = {**PER_ADDRESS, "name": "per-principal", "partition": ["principal"]}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Edge in memory with these policies, and a user."""

    @asynccontextmanager
    async def running(*policies: dict[str, Any], **environ: str) -> AsyncIterator[RunningApp]:
        url = f"sqlite:///{tmp_path / 'edge.db'}"
        settings = make_settings(tmp_path, url, RATELIMIT_POLICIES=json.dumps(policies), **environ)
        async with running_service(settings) as app:
            await app.add_user("ann", ["user"])
            yield app

    return running


async def statuses(app: RunningApp, path: str, times: int, token: str | None = None) -> list[int]:
    return [(await app.get(path, token)).status_code for _ in range(times)]


async def test_an_address_has_its_limit(run: Run) -> None:
    """So many requests are answered, then 429 with the policy and the time to wait."""
    async with run(PER_ADDRESS) as app:
        assert await statuses(app, "/", 4) == [200, 200, 200, 429]
        refused = await app.get("/")
    problem = refused.json()
    assert problem["code"] == "rate_limited"
    assert problem["policy"] == "per-address"
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) == problem["retry_after"]
    assert 58 <= problem["retry_after"] <= 60


async def test_the_answer_says_how_the_limits_stand(run: Run) -> None:
    """RateLimit-Policy and RateLimit on every answer, of each policy of the caller's own."""
    async with run(PER_ADDRESS, {**PER_PRINCIPAL, "limit": 9}) as app:
        token = (await app.login("ann"))["access_token"]
        answer = await app.get("/bearer-protected", token)
        public = await app.get("/")
        refused = await app.get("/")
    assert answer.headers["ratelimit-policy"] == '"per-address";q=3;w=60, "per-principal";q=9;w=60'
    assert answer.headers["ratelimit"] == '"per-address";r=1;t=60, "per-principal";r=8;t=60'
    assert public.headers["ratelimit"].startswith('"per-address";r=0;t=')
    assert refused.status_code == 429
    assert refused.headers["ratelimit"].startswith('"per-address";r=0;t=')
    assert "x-ratelimit-limit" not in answer.headers


async def test_older_fields_are_an_option(run: Run) -> None:
    """X-RateLimit-* of the policy with the least left, for clients that know no others."""
    async with run(PER_ADDRESS, RATELIMIT_LEGACY_FIELDS="true") as app:
        headers = (await app.get("/")).headers
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("3", "2")
    assert int(headers["x-ratelimit-reset"]) == 60


async def test_nothing_is_told_of_windows_that_others_fill(run: Run) -> None:
    """How much is left of a limit for all is not the caller's business; that it is full is."""
    policy = {**PER_ADDRESS, "name": "all", "partition": ["global"]}
    async with run(policy) as app:
        answer = await app.get("/")
        assert await statuses(app, "/", 3) == [200, 200, 429]
    assert "ratelimit" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("DELETE", "/", {}, 405),
        ("GET", "/bearer-protected", {}, 401),
        ("GET", "/bearer-protected", {"Authorization": "Bearer nonsense"}, 401),
        ("GET", "/bearer-protected", {"Authorization": "Bearer a b"}, 400),
        ("GET", "/basic-protected", {}, 401),
        ("POST", "/login", {"Content-Type": "application/json"}, 400),
        ("POST", "/login", {"Content-Type": "text/plain"}, 415),
        (
            "OPTIONS",
            "/",
            {"Origin": "https://app.test", "Access-Control-Request-Method": "GET"},
            204,
        ),
    ],
)
async def test_what_fails_is_charged_too(
    run: Run, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Unknown paths, methods, bad credentials, bad bodies and preflights: a flood is limited."""
    async with run(PER_ADDRESS, CORS_ALLOW_ORIGINS="https://app.test") as app:
        answers = [
            await app.http.request(method, path, headers=headers, content=b"{") for _ in range(5)
        ]
    assert [answer.status_code for answer in answers] == [status] * 3 + [429] * 2
    assert answers[3].json()["policy"] == "per-address"
    assert int(answers[3].headers["retry-after"]) >= 58


async def test_health_is_never_limited(run: Run) -> None:
    """A probe must not be refused because of whom it shares an address with."""
    async with run(PER_ADDRESS) as app:
        for path in ("/livez", "/readyz"):
            assert await statuses(app, path, 10) == [200] * 10
        assert await statuses(app, "/", 4) == [200, 200, 200, 429]
        assert await statuses(app, "/livez", 2) == [200, 200]


async def test_a_principal_has_its_limit_wherever_it_comes_from(run: Run) -> None:
    """Two users do not share one; two tokens of one user do; public routes are not counted."""
    async with run(PER_PRINCIPAL) as app:
        await app.add_user("bob", ["user"])
        ann = [(await app.login("ann"))["access_token"] for _ in range(2)]
        bob = (await app.login("bob"))["access_token"]
        assert await statuses(app, "/bearer-protected", 2, ann[0]) == [200, 200]
        assert await statuses(app, "/users/me", 2, ann[1]) == [200, 429]
        assert await statuses(app, "/bearer-protected", 1, bob) == [200]
        assert await statuses(app, "/", 9) == [200] * 9


async def test_a_role_has_a_limit_of_its_own(run: Run) -> None:
    """Of several, the highest counts."""
    async with run({**PER_PRINCIPAL, "role_limits": {"admin": 5, "user": 4}}) as app:
        await app.add_user("root", ["admin", "user"])
        for name, limit in (("ann", 4), ("root", 5)):
            token = (await app.login(name))["access_token"]
            seen = await statuses(app, "/bearer-protected", limit + 1, token)
            assert seen == [200] * limit + [429]


async def test_a_policy_covers_what_it_names(run: Run) -> None:
    """By route, by path and by method, and nothing else."""
    by_route = {**PER_ADDRESS, "name": "by-route", "routes": ["/users/{user_id}"], "limit": 1}
    by_path = {**PER_ADDRESS, "name": "by-path", "paths": ["/*-area"], "limit": 2}
    by_method = {**PER_ADDRESS, "name": "by-method", "methods": ["POST"], "limit": 4}
    async with run(by_route, by_path, by_method) as app:
        token = (await app.login("ann"))["access_token"]
        assert await statuses(app, "/users/x", 2, token) == [404, 429]
        assert await statuses(app, "/user-area", 1, token) == [200]
        assert await statuses(app, "/admin-area", 2, token) == [403, 429]
        assert await statuses(app, "/bearer-protected", 5, token) == [200] * 5
        posts = [await app.http.post("/logout", headers=bearer(token)) for _ in range(4)]
    assert [answer.status_code for answer in posts] == [204, 401, 401, 429]


async def test_a_header_is_counted_by_and_leaving_it_out_is_no_way_around(run: Run) -> None:
    """Each value has a window; so has none at all."""
    async with run({**PER_ADDRESS, "partition": ["header:x-api-key"], "limit": 1}) as app:
        seen = []
        for key in ("one", "two", "one", None, None):
            headers = {"X-Api-Key": key} if key else {}
            seen.append((await app.http.get("/", headers=headers)).status_code)
    assert seen == [200, 200, 429, 200, 429]


async def test_a_shadow_refuses_nobody(run: Run) -> None:
    """It is counted and shown in metrics, and the client does not learn of it."""
    async with run({**PER_ADDRESS, "shadow": True}) as app:
        answers = [await app.get("/") for _ in range(5)]
        text = app.edge.metrics.render()
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers
    name = 'edge_rate_limit_decisions_total{policy="per-address",outcome='
    assert f'{name}"allowed"}} 3' in text
    assert f'{name}"shadow_refused"}} 2' in text


async def test_decisions_are_counted_by_policy(run: Run) -> None:
    """Allowed, refused, and nearly full: what an operator draws and alarms on."""
    async with run({**PER_ADDRESS, "limit": 10}) as app:
        await statuses(app, "/", 12)
        text = app.edge.metrics.render()
    name = 'edge_rate_limit_decisions_total{policy="per-address",outcome='
    for outcome, count in (("allowed", 10), ("refused", 2), ("near_limit", 3)):
        assert f'{name}"{outcome}"}} {count}\n' in text


async def test_the_defaults_are_there_without_a_file(tmp_path: Path) -> None:
    """An address has 1,200 requests a minute, a principal 600; everybody is told."""
    settings = make_settings(tmp_path, f"sqlite:///{tmp_path / 'e.db'}", RATELIMIT_DEFAULTS="true")
    async with running_service(settings) as app:
        await app.add_user("ann")
        token = (await app.login("ann"))["access_token"]
        answer = await app.get("/bearer-protected", token)
    assert answer.headers["ratelimit-policy"] == '"address";q=1200;w=60, "principal";q=600;w=60'


def app_with(tmp_path: Path, *handlers: Any) -> Litestar:  # noqa: ANN401  # Litestar's
    environ = {**TEST_ENVIRONMENT, "EDGE_DATA_DIR": str(tmp_path)}
    environ["EDGE_RATELIMIT_POLICIES"] = json.dumps([{**PER_ADDRESS, "routes": ["/nothing"]}])
    return Litestar(list(handlers), plugins=[EdgePlugin(load(environ).or_raise())])


async def ask(app: Litestar, path: str, times: int) -> list[httpx.Response]:
    async with AsyncTestClient(app) as client:
        return [await client.get(path) for _ in range(times)]


async def test_a_handler_names_its_policies(tmp_path: Path) -> None:
    """By name or as a policy of its own, with a cost of its own."""
    own = Policy(name="own", limit=10, window_s=60)

    @get("/work", opt=dict(PUBLIC), rate_policies=["per-address", own], rate_cost=2)
    async def work() -> str:
        return "done"

    answers = await ask(app_with(tmp_path, work), "/work", 2)
    assert [answer.status_code for answer in answers] == [200, 429]
    # A counter holds a unit for 1.1 windows at most.
    told = re.fullmatch(
        r'"per-address";r=1;t=60, "own";r=8;t=(6[0-6])', answers[0].headers["ratelimit"]
    )
    assert told is not None


async def test_a_handler_sets_a_cost(tmp_path: Path) -> None:
    """What turns out to be more work is charged while it is done; what does not fit is 429."""
    own = Policy(name="own", limit=10, window_s=60)

    @get("/work", opt=dict(PUBLIC), rate_policies=[own])
    async def work(request: Request[Any, Any, Any]) -> str:
        await spend(request, 4)
        return "done"

    answers = await ask(app_with(tmp_path, work), "/work", 3)
    assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_each_spending_is_charged_once(tmp_path: Path) -> None:
    """However often a handler spends; and the policy is told of once, as it stands last."""
    own = Policy(name="own", limit=100, window_s=60, algorithm="log")

    @get("/work", opt=dict(PUBLIC), rate_policies=[own, own])
    async def work(request: Request[Any, Any, Any]) -> str:
        for _ in range(3):
            await spend(request, 4)
        return "done"

    [answer] = await ask(app_with(tmp_path, work), "/work", 1)
    assert re.findall(r'"own";r=(\d+)', answer.headers["ratelimit"]) == ["87"]
    assert answer.headers["ratelimit-policy"].count('"own"') == 1


@pytest.mark.parametrize(("cost", "status"), [(2**40, 429), (-1, 500)])
async def test_no_spending_does_harm(tmp_path: Path, cost: int, status: int) -> None:
    """More than any limit never fits; less than nothing is a mistake that refills no window."""
    own = Policy(name="own", limit=10, window_s=60)

    @get("/work", opt=dict(PUBLIC), rate_policies=[own])
    async def work(request: Request[Any, Any, Any]) -> str:
        await spend(request, cost)
        return "done"

    answers = await ask(app_with(tmp_path, work), "/work", 2)
    assert [answer.status_code for answer in answers] == [status, status]


async def test_a_policy_of_the_settings_replaces_a_routes_own(run: Run) -> None:
    """Of one name there is one: two would charge one window twice."""
    own = {"name": "protected-endpoint", "limit": 2, "window_s": 60, "partition": ["principal"]}
    async with run(own) as app:
        token = (await app.login("ann"))["access_token"]
        assert await statuses(app, "/protected-endpoint", 4, token) == [200, 200, 429, 429]


async def test_a_stranger_cannot_use_up_what_a_role_has(run: Run) -> None:
    """Who has a higher limit by a role keeps it, whatever others at that address do."""
    by_role = {**PER_ADDRESS, "role_limits": {"user": 100}}
    async with run(by_role) as app:
        token = (await app.login("ann"))["access_token"]
        assert await statuses(app, "/bearer-protected", 6, token) == [200] * 6
        assert await statuses(app, "/bearer-protected", 2, "nonsense") == [429, 429]
        assert await statuses(app, "/nowhere", 2) == [429, 429]
        assert await statuses(app, "/bearer-protected", 2, token) == [200, 200]


async def test_a_remembered_refusal_tells_how_the_window_stands(run: Run) -> None:
    """As the first one did, which asked the window."""
    async with run(PER_ADDRESS) as app:
        answers = [await app.get("/") for _ in range(6)]
    refused = [answer.headers["ratelimit"] for answer in answers[3:]]
    assert [re.sub("t=[0-9]+", "t=T", field) for field in refused] == ['"per-address";r=0;t=T'] * 3


@pytest.mark.parametrize("legacy", ["true", "false"])
async def test_pages_may_read_what_is_sent_of_limits(run: Run, legacy: str) -> None:
    """Pages of allowed origins, and the older fields where they are sent."""
    origin = "https://app.test"
    environ = {"CORS_ALLOW_ORIGINS": origin, "RATELIMIT_LEGACY_FIELDS": legacy}
    async with run(PER_ADDRESS, **environ) as app:
        answer = await app.http.get("/", headers={"Origin": origin})
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed)
    assert ("X-RateLimit-Remaining" in exposed) == (legacy == "true")


async def test_a_policy_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    """A misspelt name in a handler is not a route without a limit."""

    @get("/work", opt=dict(PUBLIC), rate_policies=["per-adress"])
    async def work() -> str:
        return new_password()

    refusal = pytest.RaisesExc(SettingsError, match="per-adress")
    with pytest.RaisesGroup(refusal, flatten_subgroups=True):
        await ask(app_with(tmp_path, work), "/work", 1)


def limited(**fields: Any) -> Policy:  # noqa: ANN401  # any of a policy's
    return Policy(**{"name": "a", "limit": 1, "window_s": 1, **fields})


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ({"rate_policies": [limited(name='a"b')]}, "name"),
        ({"rate_policies": [limited(window_s=0.000001)]}, "window_s"),
        (
            {"rate_policies": [limited(partition=("ip",))]},
            "partition",
        ),
        ({"rate_policies": "reports"}, "one text"),
        (
            {"rate_policies": [limited()], "rate_cost": -1},
            "rate_cost -1",
        ),
    ],
)
async def test_a_routes_own_policies_are_checked_at_start(
    tmp_path: Path, declared: dict[str, Any], problem: str
) -> None:
    """What could not be decided, or would fill a window up again, is found before a request."""

    @get("/work", opt=dict(PUBLIC), **declared)
    async def work() -> str:
        return new_password()

    refusal = pytest.RaisesExc(SettingsError, match=problem)
    with pytest.RaisesGroup(refusal, flatten_subgroups=True):
        await ask(app_with(tmp_path, work), "/work", 1)
