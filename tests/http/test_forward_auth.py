"""Forward-auth over HTTP: what a load balancer is answered."""

import base64
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import joserfc.jwt
import pytest
from joserfc.jwk import KeySet

from edge.http.security_headers import PROFILES
from edge.settings import Settings, SettingsError
from edge.tokens.claims import ASSERTION_TYPE
from tests.support.app import RunningApp, bearer, make_settings, running_service
from tests.support.databases import SqliteTemplate
from tests.support.metrics import values_in

BALANCER = "203.0.113.7"  # what the test's client connects from
RULES: list[dict[str, Any]] = [
    {"name": "open", "paths": ["/open"], "public": True},
    {"name": "staff", "paths": ["/staff/*"], "roles": ["admin", "moderator"]},
    {"name": "scripts", "paths": ["/scripts/*"], "authentication": ["basic", "bearer"]},
    {"name": "reports", "paths": ["/reports"], "scopes": ["admin"]},
    {"name": "few", "paths": ["/few"], "rate_policies": ["few"]},
    {"name": "trial", "paths": ["/trial"], "roles": ["admin"], "shadow": True},
    {"name": "signed", "paths": ["/signed"], "audience": "https://orders.internal"},
    {"name": "any", "hosts": ["shop.test"], "methods": ["GET"]},
]
FEW = {"name": "few", "limit": 2, "window_s": 60, "partition": ["principal"]}


def settings_with(folder: Path, database_url: str, **environ: str) -> Settings:
    variables = {
        "ACCESS_RULES": json.dumps(RULES),
        "RATELIMIT_POLICIES": json.dumps([FEW]),
        "PROXIES_TRUSTED": BALANCER,
        **environ,
    }
    return make_settings(folder / "data", database_url, **variables)


@pytest.fixture
def settings(sqlite_template: SqliteTemplate, tmp_path: Path) -> Settings:
    return settings_with(tmp_path, sqlite_template.copy_to(tmp_path / "edge.db"))


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[RunningApp]:
    async with running_service(settings) as running:
        await running.add_user("anna", ["user"])
        await running.add_user("root", ["admin"])
        yield running


async def ask(
    app: RunningApp,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    host: str = "api.test",
    dialect: str = "traefik",
) -> httpx.Response:
    """Ask as Traefik does, or as nginx."""
    forwarded = {
        "X-Forwarded-Method": method,
        "X-Forwarded-Host": host,
        "X-Forwarded-Uri": path,
        "X-Forwarded-For": "198.51.100.1",
    }
    original = {
        "X-Original-Method": method,
        "X-Original-URL": f"https://{host}{path}",
        "X-Forwarded-For": "198.51.100.1",
    }
    said = original if dialect == "nginx" else forwarded
    return await app.http.get(f"/forward/{dialect}", headers={**said, **(headers or {})})


async def token_of(app: RunningApp, username: str) -> dict[str, str]:
    return bearer((await app.login(username))["access_token"])


def identity(answer: httpx.Response) -> dict[str, str]:
    names = ("subject", "user", "roles", "scopes", "method", "assertion")
    return {name: answer.headers[f"x-auth-{name}"] for name in names}


NOBODY = dict.fromkeys(("subject", "user", "roles", "scopes", "method", "assertion"), "")


async def test_who_may_goes_on_and_is_named(app: RunningApp) -> None:
    """200 without a body, and all that the service needs to know."""
    answer = await ask(app, "/staff/list", await token_of(app, "root"))
    assert (answer.status_code, answer.content) == (200, b"")
    told = identity(answer)
    assert told.pop("subject")
    assert told == {
        "user": "root",
        "roles": "admin",
        "scopes": "admin,moderate,profile",
        "method": "bearer",
        "assertion": "",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "status"), [("/open", 200), ("/staff/list", 401), ("/..", 400), ("/unknown", 403)]
)
async def test_answers_that_clients_get_have_security_headers(
    app: RunningApp, path: str, status: int
) -> None:
    """Refusals are handed on to them; no answer says what server this is."""
    answer = await ask(app, path, {"X-Forwarded-Proto": "https"})
    assert answer.status_code == status
    assert answer.headers["server"] == ""
    shown = {name: answer.headers.get(name) for name in PROFILES["api"]}
    expected = PROFILES["api"] if status != 200 else {"cache-control": "no-store"}
    assert {name: value for name, value in shown.items() if value is not None} == expected
    assert ("strict-transport-security" in answer.headers) is (status != 200)


async def test_a_password_will_do_where_the_rule_says_so(app: RunningApp) -> None:
    """And is no credential elsewhere."""
    pair = f"anna:{app.passwords['anna']}".encode()
    basic = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    let_in = await ask(app, "/scripts/run", basic)
    assert (let_in.status_code, let_in.headers["x-auth-method"]) == (200, "basic")
    assert let_in.headers["x-auth-user"] == "anna"
    refused = await ask(app, "/few", basic)
    assert (refused.status_code, refused.json()["code"]) == (401, "credentials_missing")
    assert refused.headers["www-authenticate"] == 'Bearer realm="edge"'
    strangers = await ask(app, "/scripts/run")
    assert strangers.headers["www-authenticate"].startswith('Bearer realm="edge", Basic')


async def test_nobody_is_asked_by_a_public_rule(app: RunningApp) -> None:
    """The fields are there and empty, even where a token was sent."""
    for headers in ({}, await token_of(app, "anna"), {"Authorization": "nonsense"}):
        answer = await ask(app, "/open", headers)
        assert (answer.status_code, identity(answer)) == (200, NOBODY)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/staff/list", 403, "role_missing"),
        ("/reports", 403, "insufficient_scope"),
        ("/nowhere", 403, "rule_missing"),
        ("/open/", 403, "rule_missing"),
        ("/open//", 400, "path_ambiguous"),
        ("/x/..%2fopen", 400, "path_ambiguous"),
    ],
)
@pytest.mark.parametrize("dialect", ["traefik", "nginx"])
async def test_who_may_not_is_told_why(
    app: RunningApp, path: str, status: int, code: str, dialect: str
) -> None:
    """By default nobody may anything; to nginx the true status travels in a field."""
    answer = await ask(app, path, await token_of(app, "anna"), dialect=dialect)
    assert answer.json()["code"] == code
    assert answer.json()["status"] == status
    if dialect == "nginx":
        assert (answer.status_code, answer.headers["x-edge-status"]) == (403, str(status))
    else:
        assert (answer.status_code, "x-edge-status" in answer.headers) == (status, False)
    assert "x-auth-subject" not in answer.headers


async def test_a_scope_that_is_missing_is_challenged_for(app: RunningApp) -> None:
    """The client learns which it needs (RFC 6750 section 3.1)."""
    answer = await ask(app, "/reports", await token_of(app, "anna"))
    assert 'error="insufficient_scope", scope="admin"' in answer.headers["www-authenticate"]


async def test_hosts_and_methods_count(app: RunningApp) -> None:
    """The last rule is about one host and reading."""
    token = await token_of(app, "anna")
    assert (await ask(app, "/x", token, host="Shop.test:8443")).status_code == 200
    assert (await ask(app, "/x", token, host="shop.test", method="POST")).status_code == 403
    assert (await ask(app, "/x", token, host="shop.test.evil.test")).status_code == 403


@pytest.mark.parametrize(
    "name",
    [
        "X-Auth-Subject",
        "x-auth-roles",
        "X_Auth_User",
        "X.Auth.Roles",
        "x-auth_scopes",
        "X-AUTH-USER",
    ],
)
async def test_a_client_that_says_who_it_is_is_refused(app: RunningApp, name: str) -> None:
    """In any spelling and whatever the rule; it might come through where ours does not."""
    for path in ("/open", "/staff/list"):
        answer = await ask(app, path, {**await token_of(app, "root"), name: "root"})
        assert (answer.status_code, answer.json()["code"]) == (400, "identity_field_sent")


async def test_a_client_cannot_say_what_is_asked_about(app: RunningApp) -> None:
    """A second field of the balancer's is the client's."""
    fields = [
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Host", "api.test"),
        ("X-Forwarded-Uri", "/staff/list"),
        ("X-Forwarded-Uri", "/open"),
    ]
    answer = await app.http.get("/forward/traefik", headers=fields)
    assert (answer.status_code, answer.json()["code"]) == (400, "field_repeated")
    silent = await app.http.get("/forward/traefik")
    assert (silent.status_code, silent.json()["code"]) == (400, "forward_incomplete")


async def test_a_rule_counts_by_its_policies(app: RunningApp) -> None:
    """Two for each principal; the third is told when to come back."""
    anna, root = await token_of(app, "anna"), await token_of(app, "root")
    statuses = [(await ask(app, "/few", anna)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await ask(app, "/few", root)).status_code == 200
    answer = await ask(app, "/few", anna, dialect="nginx")
    assert (answer.status_code, answer.headers["x-edge-status"]) == (403, "429")
    assert 0 < int(answer.headers["retry-after"]) <= 66  # a window and a tenth
    assert (answer.json()["code"], answer.json()["policy"]) == ("rate_limited", "few")


async def test_a_shadow_refuses_nobody(app: RunningApp, caplog: pytest.LogCaptureFixture) -> None:
    """It is told what would have happened, and who is asking where that is known."""
    answer = await ask(app, "/trial", await token_of(app, "anna"))
    assert (answer.status_code, answer.headers["x-auth-user"]) == (200, "anna")
    stranger = await ask(app, "/trial")
    assert (stranger.status_code, identity(stranger)) == (200, NOBODY)
    told = [record.message for record in caplog.records if "forward.denied" in record.message]
    assert ["role_missing" in told[0], "credentials_missing" in told[1]] == [True, True]
    assert all("'shadow': 'true'" in line for line in told)


@pytest.mark.parametrize("on_outage", ["allow", "deny"])
async def test_a_shadow_that_counts_takes_nobodys_name(
    sqlite_template: SqliteTemplate, tmp_path: Path, on_outage: str
) -> None:
    """The service is told who asks, however many were too many, and where nothing can count."""
    policy = {"name": "one", "limit": 1, "window_s": 60, "paths": ["/x"], "on_outage": on_outage}
    rules = [{"name": "trial", "rate_policies": ["one"], "shadow": True}]
    settings = settings_with(
        tmp_path,
        sqlite_template.copy_to(tmp_path / "edge.db"),
        ACCESS_RULES=json.dumps(rules),
        RATELIMIT_POLICIES=json.dumps([policy]),
        **({"REDIS_URL": "redis://127.0.0.1:1/0"} if on_outage == "deny" else {}),
    )
    async with running_service(settings) as app:
        await app.add_user("anna", ["user"])
        token = await token_of(app, "anna")
        answers = [await ask(app, "/x", token) for _ in range(4)]
    told = [(answer.status_code, answer.headers["x-auth-user"]) for answer in answers]
    assert told == [(200, "anna")] * 4


async def test_an_assertion_can_be_checked_by_the_service(app: RunningApp) -> None:
    """With the published keys: who, for whom, and for a minute; it is no access token."""
    token = await token_of(app, "anna")
    assertion = (await ask(app, "/signed", token)).headers["x-auth-assertion"]
    keys = KeySet.import_key_set((await app.http.get("/.well-known/jwks.json")).json())
    decoded = joserfc.jwt.decode(assertion, keys, algorithms=["ES256"])
    claims = decoded.claims
    assert decoded.header["typ"] == ASSERTION_TYPE
    assert claims["aud"] == "https://orders.internal"
    assert claims["iss"] == app.edge.settings.base_url
    assert claims["sub"] == (await app.get("/users/me", token["Authorization"][7:])).json()["id"]
    assert (claims["roles"], claims["scope"], claims["method"]) == (["user"], "profile", "bearer")
    assert claims["exp"] - claims["iat"] == 60
    assert (await ask(app, "/signed", token)).headers["x-auth-assertion"] == assertion
    refused = await app.get("/users/me", assertion)
    assert (refused.status_code, refused.json()["code"]) == (401, "type_mismatch")


async def test_only_trusted_peers_may_ask(sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
    """Anybody else could find out what tokens are good for, as often as they like."""
    url = sqlite_template.copy_to(tmp_path / "edge.db")
    async with running_service(settings_with(tmp_path, url, PROXIES_TRUSTED="")) as app:
        answer = await ask(app, "/open")
    assert (answer.status_code, answer.json()["code"]) == (403, "peer_untrusted")


async def test_a_revoked_token_is_refused(app: RunningApp) -> None:
    """Forward-auth has no memory of its own that could let it in."""
    token = await token_of(app, "anna")
    assert (await ask(app, "/few", token)).status_code == 200
    assert (await app.http.post("/logout", headers=token)).status_code == 204
    answer = await ask(app, "/few", token)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")


async def test_what_is_below_forward_is_nothing_else(app: RunningApp) -> None:
    """An unknown balancer is 404, and other paths are the service's own."""
    for path in ("/forward/apache", "/forward/", "/forward/nginx/x"):
        assert (await app.http.get(path)).status_code == 404
    assert (await app.http.get("/livez")).status_code == 200
    assert (await app.http.get("/forward")).status_code == 404


@pytest.mark.parametrize("path", ["/%66orward/nginx", "/forward%2Fnginx"])
async def test_a_question_is_spelled_in_one_way(app: RunningApp, path: str) -> None:
    """Load balancers keep clients from asking, by the path as it is sent."""
    said = {"X-Original-Method": "GET", "X-Original-URL": "https://api.test/open"}
    url = httpx.URL("http://edge.test", raw_path=path.encode())
    answer = await app.http.get(url, headers=said)
    assert (answer.status_code, answer.json()["code"]) == (400, "path_ambiguous")


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ({"paths": ["orders"]}, "paths"),
        ({"paths": ["/a;b"]}, "paths"),
        ({"paths": ["/a%20b"]}, "paths"),
        ({"hosts": ["Shop.test"]}, "hosts"),
        ({"hosts": ["shop.test:80"]}, "hosts"),
        ({"public": True, "roles": ["admin"]}, "roles"),
        ({"public": True, "audience": "x"}, "audience"),
        ({"scopes": ["unknown"]}, "scopes"),
        ({"rate_policies": ["unknown"]}, "rate_policies"),
        ({"methods": ["get"]}, "methods"),
        ({"authentication": []}, "authentication"),
        ({"name": "Bad Name"}, "name"),
    ],
)
async def test_a_rule_that_may_not_be_stops_the_start(
    tmp_path: Path, rule: dict[str, object], key: str
) -> None:
    """With its place, like every mistake in settings."""
    rules = json.dumps([{"name": "one", **rule}])
    with pytest.raises(SettingsError, match=rf"EDGE_ACCESS_RULES\[0\]\.{key}"):
        async with running_service(
            settings_with(tmp_path, f"sqlite:///{tmp_path}/edge.db", ACCESS_RULES=rules)
        ):
            pass


@pytest.mark.parametrize(
    "later",
    [{"paths": ["/a"]}, {"paths": ["/a", "/b"]}, {"hosts": ["x.test"], "paths": ["/b"]}],
)
async def test_a_rule_that_never_counts_stops_the_start(
    tmp_path: Path, later: dict[str, object]
) -> None:
    """It comes behind one that covers all that it does."""
    rules = json.dumps([{"name": "one", "paths": ["/b", "/a"]}, {"name": "two", **later}])
    with pytest.raises(SettingsError, match=r"EDGE_ACCESS_RULES\[1\] comes behind 'one'"):
        settings_with(tmp_path, f"sqlite:///{tmp_path}/edge.db", ACCESS_RULES=rules)


async def test_what_is_decided_for_load_balancers_is_counted(app: RunningApp) -> None:
    """By dialect and status, and by reason; a shadow counts as such; what is no dialect, too."""
    fields = await token_of(app, "anna")
    for path in ("/open", "/staff/x", "/trial", "/nothing", "/few", "/few", "/few"):
        await ask(app, path, fields)
    await ask(app, "/few", fields, dialect="nginx")
    await app.http.get("/forward/unheard-of")
    shown = values_in(app.edge.metrics.render())
    counted = {
        tuple(re.findall(r'"([^"]*)"', name)): value
        for name, value in shown.items()
        if 'point="forward"' in name or 'route="/forward' in name
    }
    decided = {labels[1:]: n for labels, n in counted.items() if labels[0] == "forward"}
    assert decided == {
        ("allowed", ""): 3,
        ("refused", "role_missing"): 1,
        ("shadow_refused", "role_missing"): 1,
        ("refused", "rule_missing"): 1,
        ("refused", "rate_limited"): 2,
        ("refused", "not_found"): 1,
    }
    totals = {labels: n for labels, n in counted.items() if len(labels) == 2 and n}
    assert totals[("/forward/traefik", "200")] == 4
    assert totals[("/forward/traefik", "429")] == 1
    assert totals[("/forward/nginx", "403")] == 1


TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize("path", ["/open", "/nothing"])
async def test_the_trace_of_a_request_goes_on(app: RunningApp, path: str) -> None:
    """A load balancer finds its `traceparent` in the answer, as it was; a bad one it does not."""
    traceparent = f"00-{TRACE}-b7ad6b7169203331-01"
    answer = await ask(app, path, {"traceparent": traceparent})
    assert answer.headers["traceparent"] == traceparent
    assert "traceparent" not in (await ask(app, path, {"traceparent": "rubbish"})).headers
    assert "traceparent" not in (await ask(app, path)).headers


async def test_what_is_refused_is_logged_with_its_trace(
    app: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    """For load balancers that ask, and on the routes of Edge itself."""
    caplog.set_level("INFO", "edge.security")
    fields = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    await ask(app, "/nothing", fields)
    await app.http.get("/users/me", headers=fields)
    denied = [r.msg for r in caplog.records if "denied" in str(r.msg)]
    assert [(one["event"], one["trace_id"]) for one in denied if isinstance(one, dict)] == [
        ("forward.denied", TRACE),
        ("access.denied", TRACE),
    ]
