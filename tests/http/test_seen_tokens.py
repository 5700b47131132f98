"""The short way for tokens that were seen before, against an Edge that remembers none."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.app import RunningApp, make_settings, running_service
from tests.support.databases import SqliteTemplate

Seen = list[tuple[Any, ...]]

RULES: list[dict[str, Any]] = [
    {"name": "open", "paths": ["/open"], "public": True},
    {"name": "staff", "paths": ["/staff"], "roles": ["admin"]},
    {"name": "scripts", "paths": ["/scripts"], "authentication": ["basic"]},
    {"name": "both", "paths": ["/both"], "authentication": ["basic", "bearer"]},
    {"name": "trial", "paths": ["/trial"], "roles": ["admin"], "shadow": True},
    {"name": "any", "paths": ["/any"]},
    {"name": "few", "paths": ["/few"], "rate_policies": ["few"]},
    {"name": "field", "paths": ["/field"], "rate_policies": ["by-field"]},
    {"name": "signed", "paths": ["/signed"], "audience": "service"},
]
# Of an hour, so that nothing depends on how long it takes; on no route but those of the rules.
POLICIES: list[dict[str, Any]] = [
    {"name": "few", "limit": 4, "partition": ["principal", "address"]},
    {"name": "by-field", "limit": 9, "partition": ["header:authorization"]},
]
ROLES = {"anna": "user", "mona": "moderator", "root": "admin"}
PATHS = [rule["paths"][0] for rule in RULES]
ROUTES = ["/users/me", "/admin-area", "/basic-protected"]

# What a client may send in place of `Bearer TOKEN`, of which some is a token and some is not.
SPELLINGS = [
    ["Bearer {0}"],
    ["bearer {0}"],
    ["BEARER {0}"],
    ["Bearer  {0}"],
    ["Bearer\t{0}"],
    [" Bearer {0}"],
    ["Bearer {0} "],
    ["Bearer {0}="],
    ["Bearer {0}."],
    ["Bearer {0},"],
    ["Bearer {0}, Basic YTpi"],
    ["Bearer{0}"],
    ["Basic {0}"],
    ["DPoP {0}"],
    ["{0}"],
    ["Bearer {0}", "Bearer {0}"],
    ["Bearer {0}", ""],
    ["Basic YTpi", "Bearer {0}"],
    ["Bearer {1}"],
    ["Bearer "],
    [],
]


async def ask(app: RunningApp, path: str, values: list[str]) -> tuple[Any, ...]:
    """Ask as a load balancer about a path, or by a route of Edge itself; give what counts."""
    fields = [("Authorization", value) for value in values]
    about = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Host", "x.test")]
    if path in PATHS:
        about.append(("X-Forwarded-Uri", path))
        answer = await app.http.get("/forward/caddy", headers=[*about, *fields])
    else:
        answer = await app.http.get(path, headers=fields)
    return answer.status_code, *_told(answer)


def _told(answer: httpx.Response) -> tuple[str, ...]:
    names = ("x-auth-user", "x-auth-roles", "x-auth-scopes", "x-auth-method", "www-authenticate")
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    code = answer.json()["code"] if is_problem else ""
    return code, *(answer.headers.get(name, "") for name in names)


async def lived(app: RunningApp) -> Seen:
    """Use tokens in each spelling, then let one after the other die, and use them again."""
    seen: Seen = []
    users = {name: await app.add_user(name, [role]) for name, role in ROLES.items()}
    tokens = {name: (await app.login(name))["access_token"] for name in users}
    pair = base64.b64encode(f"anna:{app.passwords['anna']}".encode()).decode()

    async def use(name: str, spelling: list[str]) -> None:
        forged = tokens[name][:-4] + "AAAA"
        values = [value.format(tokens[name], forged) for value in spelling]
        for path in (*PATHS, *ROUTES):
            seen.append((name, spelling, path, *await ask(app, path, values)))

    for name in tokens:
        await use(name, ["Bearer {0}"])
        for spelling in SPELLINGS:
            await use(name, spelling)
    seen.append(("anna", "/both", *await ask(app, "/both", [f"Basic {pair}"])))
    await app.http.post("/logout", headers={"Authorization": f"Bearer {tokens['anna']}"})
    await app.edge.accounts.disable(users["root"])
    await app.edge.accounts.set_roles(users["mona"], ["user"])
    for name in tokens:
        await use(name, ["Bearer {0}"])
    return seen


@pytest.fixture
def databases(sqlite_template: SqliteTemplate, tmp_path: Path) -> tuple[str, str]:
    """Give one for each of the two."""
    first, second = [sqlite_template.copy_to(tmp_path / name) for name in ("1.db", "2.db")]
    return first, second


@pytest.mark.parametrize("entries", ["1", "10000"])
async def test_what_was_seen_before_is_judged_as_if_it_were_new(
    databases: tuple[str, str], tmp_path: Path, entries: str
) -> None:
    """Each request gets what an Edge without memory says: however it is written, alive or dead."""
    told: list[Seen] = []
    for number, database in zip((entries, "0"), databases, strict=True):
        settings = make_settings(
            tmp_path / number,
            database,
            ACCESS_RULES=json.dumps(RULES),
            RATELIMIT_POLICIES=json.dumps(
                [{**one, "window_s": 3600, "paths": ["/forward"]} for one in POLICIES]
            ),
            PROXIES_TRUSTED="203.0.113.7",
            TOKENS_VERIFIED_CACHE_ENTRIES=number,
        )
        async with running_service(settings) as app:
            told.append(await lived(app))
    with_memory, without = told
    assert with_memory == without
    assert {200, 400, 401, 403, 429} <= {one[3] for one in without}
    dead = [one[3] for one in without[-3 * len(PATHS + ROUTES) :] if one[2] == "/any"]
    assert dead == [401, 401, 401]
