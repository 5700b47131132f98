"""EdgePlugin without some of its parts."""

from pathlib import Path

import pytest
from litestar import Litestar, get
from litestar.config.cors import CORSConfig
from litestar.di import NamedDependency

from edge import PUBLIC, EdgePlugin, Policy, Principal, accepts, requires_role
from edge.plugin import Part
from edge.settings import Settings, SettingsError
from tests.support.app import make_settings, running
from tests.support.databases import SqliteTemplate

ONCE = Policy(name="once", limit=1, window_s=60, partition=("address",))


@get("/unmarked")
async def unmarked() -> str:
    return "unmarked"


@get("/closed", opt=accepts("bearer"))
async def closed(principal: NamedDependency[Principal]) -> str:
    return principal.subject


@get("/once", opt=dict(PUBLIC), rate_policies=[ONCE])
async def once() -> str:
    return "once"


@get("/guarded", guards=[requires_role("admin")])
async def guarded() -> str:
    return "guarded"


@get("/")
async def own_home() -> str:
    return "mine"


@pytest.fixture
def settings(sqlite_template: SqliteTemplate, tmp_path: Path) -> Settings:
    return make_settings(tmp_path / "data", sqlite_template.copy_to(tmp_path / "edge.db"))


async def statuses(settings: Settings, part: Part | None, *paths: str) -> list[int]:
    """Give the statuses of an app's routes, with the part and without it."""
    plugin = EdgePlugin(settings, without={part} if part else set())
    async with running(Litestar([unmarked, closed, once], plugins=[plugin])) as app:
        return [(await app.http.get(path)).status_code for path in paths]


@pytest.mark.parametrize(
    ("part", "paths", "with_it", "without_it"),
    [
        ("layer", ["/a%2fb"], [400], [404]),
        ("authentication", ["/unmarked", "/closed", "/users/me"], [401] * 3, [200, 401, 401]),
        ("rate-limits", ["/once", "/once"], [200, 429], [200, 200]),
        ("token-routes", ["/.well-known/jwks.json", "/sessions"], [200, 401], [404, 404]),
        ("account-routes", ["/users/me", "/admin/users"], [401, 401], [404, 404]),
        ("service-routes", ["/", "/livez", "/metrics"], [200, 200, 401], [404] * 3),
    ],
)
async def test_each_part_may_be_left_out(
    settings: Settings, part: Part, paths: list[str], with_it: list[int], without_it: list[int]
) -> None:
    """What it does is not done then, and the rest goes on as before."""
    assert await statuses(settings, None, *paths) == with_it
    assert await statuses(settings, part, *paths) == without_it


async def test_without_the_layer_answers_are_the_apps_own(settings: Settings) -> None:
    """They carry nothing of Edge's; who is asking is found out all the same."""
    host = Litestar(
        [unmarked, own_home],
        plugins=[EdgePlugin(settings, without={"layer", "service-routes"})],
        cors_config=CORSConfig(allow_origins=["https://app.test"]),
    )
    async with running(host) as app:
        await app.add_user("user")
        token = (await app.login("user"))["access_token"]
        answer = await app.get("/unmarked", token)
        refused = await app.http.get("/unmarked", headers={"Origin": "https://app.test"})
    assert (answer.status_code, answer.text) == (200, "unmarked")
    assert not {"x-request-id", "content-security-policy", "server"} & answer.headers.keys()
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://app.test"


async def test_without_authentication_what_asks_for_it_has_it(settings: Settings) -> None:
    """Only the default changes: a route may still take tokens, and know whose they are."""
    plugin = EdgePlugin(settings, without={"authentication"})
    async with running(Litestar([closed, unmarked], plugins=[plugin])) as app:
        user = await app.add_user("user")
        token = (await app.login("user"))["access_token"]
        assert (await app.get("/closed", token)).text == str(user.id)
        assert (await app.get("/unmarked")).status_code == 200


async def test_a_home_of_ones_own_takes_the_place_of_edges(settings: Settings) -> None:
    """Two handlers for one path would stop the start."""
    plugin = EdgePlugin(settings, without={"service-routes"})
    async with running(Litestar([own_home], plugins=[plugin])) as app:
        await app.add_user("user")
        token = (await app.login("user"))["access_token"]
        assert (await app.get("/", token)).text == "mine"


async def test_a_guard_on_a_public_route_stops_the_start(settings: Settings) -> None:
    """There would be nobody to ask about, so every request would fail."""
    plugin = EdgePlugin(settings, without={"authentication"})
    with pytest.raises(ExceptionGroup) as caught:
        async with running(Litestar([guarded], plugins=[plugin])):
            pass
    (error,) = caught.value.exceptions
    assert isinstance(error, SettingsError)
    assert "/guarded has a guard and is public" in str(error)


def test_cors_of_the_app_stops_the_start(settings: Settings) -> None:
    """Two would answer, and a refused origin could be told what Edge does not tell it."""
    with pytest.raises(SettingsError, match="cors_config"):
        Litestar(plugins=[EdgePlugin(settings)], cors_config=CORSConfig(allow_origins=["*"]))
