"""EdgePlugin in a Litestar app of one's own."""

import gc
import json
import weakref
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from litestar import Litestar, Request, asgi, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.dto import MsgspecDTO
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.params import Body, FromQuery, JSONBody
from litestar.response.base import ASGIResponse
from litestar.routes import HTTPRoute
from litestar.static_files import create_static_files_router
from litestar.types import Receive, Scope, Send

from edge import (
    PUBLIC,
    EdgePlugin,
    Principal,
    accepts,
    requires_any_role,
    requires_role,
    requires_scope,
)
from edge.settings import Settings, SettingsError
from tests.support.app import RunningApp, make_settings, running

Connection = ASGIConnection[Any, Any, Any, Any]


@get("/unmarked")
async def unmarked(principal: NamedDependency[Principal]) -> str:
    return str(principal.user_id)


@get("/open", opt=dict(PUBLIC))
async def open_to_all() -> str:
    return "open"


@get("/either", opt=accepts("bearer", "basic"))
async def either(principal: NamedDependency[Principal]) -> str:
    return principal.method


@get("/staff", guards=[requires_any_role("admin", "moderator")])
async def staff() -> str:
    return "staff"


@get("/both-scopes", guards=[requires_scope("profile", "moderate")])
async def both_scopes() -> str:
    return "both"


@get("/counted")
async def counted(limit: FromQuery[int]) -> int:
    return limit


@get("/broken", opt=dict(PUBLIC))
async def broken() -> None:
    message = "the secret of the house"
    raise ValueError(message)


class Note(msgspec.Struct):
    """What the routes below take."""

    text: str


@post("/notes/json", opt=dict(PUBLIC))
async def note_as_json(data: JSONBody[Note]) -> str:
    return data.text


@post("/notes/plain", opt=dict(PUBLIC))
async def note_as_it_is(data: Note) -> str:
    return data.text


@post("/notes/dto", opt=dict(PUBLIC), dto=MsgspecDTO[Note])
async def note_by_dto(data: JSONBody[Note]) -> str:
    return data.text


@post("/notes/read", opt=dict(PUBLIC))
async def note_read(request: Request[None, None, State]) -> str:
    return str((await request.json())["text"])


@post("/notes/form", opt=dict(PUBLIC))
async def note_as_form(
    data: Annotated[Note, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> str:
    return data.text


@post("/notes/parts", opt=dict(PUBLIC))
async def note_in_parts(
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> str:
    return data["text"]


@post("/notes/form-read", opt=dict(PUBLIC))
async def note_form_read(request: Request[None, None, State]) -> str:
    return str((await request.form())["text"])


@post("/notes/packed", opt=dict(PUBLIC))
async def note_packed(
    data: Annotated[Note, Body(media_type=RequestEncodingType.MESSAGEPACK)],
) -> str:
    return data.text


@post("/notes/packed-read", opt=dict(PUBLIC))
async def note_packed_read(request: Request[None, None, State]) -> str:
    return str((await request.msgpack())["text"])


NOTES = [
    note_as_json,
    note_as_it_is,
    note_by_dto,
    note_read,
    note_as_form,
    note_in_parts,
    note_form_read,
    note_packed,
    note_packed_read,
]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
PARTS, PACKED = "multipart/form-data; boundary=x", "application/x-msgpack"
# No type of a form by its name, a charset that is not UTF-8, and none at all.
NEVER = {"text/plain", "text/plain; boundary=x", f"{PARTS}; charset=utf-16", ""}


def parts(count: int) -> bytes:
    names = ["text", *(f"more-{number}" for number in range(count - 1))]
    head = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\ngood\r\n'
    return "".join(map(head.format, names)).encode() + b"--x--\r\n"


def make_app(settings: Settings) -> Litestar:
    handlers = [unmarked, open_to_all, either, staff, both_scopes, counted, broken]
    return Litestar(handlers, plugins=[EdgePlugin(settings)])


async def add_people(app: RunningApp) -> None:
    for role in ("admin", "moderator", "user"):
        await app.add_user(role, [role])


async def test_a_route_that_says_nothing_is_protected(settings: Settings) -> None:
    """Default deny holds for the routes of the host app, and its API description."""
    async with running(make_app(settings)) as app:
        await add_people(app)
        token = (await app.login("user"))["access_token"]

        assert (await app.get("/unmarked")).status_code == 401
        assert (await app.get("/schema/openapi.json")).status_code == 401
        assert (await app.get("/unmarked", token)).status_code == 200
        assert (await app.get("/open")).text == "open"


async def test_what_is_no_ordinary_route_is_protected_too(
    settings: Settings, tmp_path: Path
) -> None:
    """Mounted ASGI apps and static files are closed to strangers, like everything else."""
    (tmp_path / "page.txt").write_text("inside")

    @asgi("/mounted", is_mount=True, copy_scope=True)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await ASGIResponse(body=b"inside")(scope, receive, send)

    files = create_static_files_router(path="/files", directories=[tmp_path])
    async with running(Litestar([mounted, files], plugins=[EdgePlugin(settings)])) as app:
        await app.add_user("someone")
        token = (await app.login("someone"))["access_token"]
        for path in ("/mounted", "/mounted/deep", "/files/page.txt"):
            assert (await app.get(path)).status_code == 401, path
            assert (await app.get(path, token)).text == "inside", path


@pytest.mark.parametrize("path", ["/mounted/deep", "/mounted/deep/", "/open", "/open/"])
async def test_what_holds_by_path_holds_however_routing_takes_the_path(
    database_url: str, tmp_path: Path, path: str
) -> None:
    """With a slash at its end, and in a mounted app."""

    @asgi("/mounted", is_mount=True, copy_scope=True, opt=dict(PUBLIC))
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await ASGIResponse(body=b"inside")(scope, receive, send)

    paths = ["/open", "/mounted/*"]
    one = {"name": "one", "limit": 1, "window_s": 60, "paths": paths}
    settings = make_settings(
        tmp_path / "data",
        database_url,
        CORS_ALLOW_ORIGINS="https://app.test",
        CORS_POLICIES=json.dumps([{"paths": paths, "allow_origins": ["https://other.test"]}]),
        HEADERS_OVERRIDES=json.dumps([{"paths": paths, "fields": {"x-frame-options": ""}}]),
        RATELIMIT_POLICIES=json.dumps([one]),
    )
    app = Litestar([mounted, open_to_all], plugins=[EdgePlugin(settings)])
    async with running(app) as opened:
        origin = {"Origin": "https://app.test"}
        answers = [await opened.http.get(path, headers=origin) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    for answer in answers:
        assert "access-control-allow-origin" not in answer.headers
        assert "x-frame-options" not in answer.headers


async def test_a_route_may_take_both_methods(settings: Settings) -> None:
    """The principal knows which method proved it; strangers are told of both."""
    async with running(make_app(settings)) as app:
        await add_people(app)
        token = (await app.login("user"))["access_token"]
        stranger = await app.get("/either")
        by_basic = await app.http.get("/either", auth=("user", app.passwords["user"]))

        assert (await app.get("/either", token)).text == "bearer"
        assert by_basic.text == "basic"
        assert stranger.headers["www-authenticate"] == (
            'Bearer realm="edge", Basic realm="edge", charset="UTF-8"'
        )


async def test_guards_combine_roles_and_scopes(settings: Settings) -> None:
    """Any of the roles will do; all of the scopes are needed."""
    async with running(make_app(settings)) as app:
        await add_people(app)
        expected = {"admin": (200, 200), "moderator": (200, 200), "user": (403, 403)}
        for name, statuses in expected.items():
            token = (await app.login(name))["access_token"]
            found = [
                (await app.get(path, token)).status_code for path in ("/staff", "/both-scopes")
            ]
            assert tuple(found) == statuses, name


async def test_our_guards_are_asked_by_the_enforcement_point(settings: Settings) -> None:
    """Litestar asks only the others, and only about whom ours let in; also when started again."""
    asked: list[str] = []

    async def own(connection: Connection, _: BaseRouteHandler) -> None:
        asked.append(connection.user.subject)

    @get("/vault", guards=[own, requires_role("admin")])
    async def vault() -> str:
        return "inside"

    @get("/whoami")
    async def whoami(request: Request[Principal, None, State]) -> str:
        return request.user.subject

    host = Litestar([vault, whoami], plugins=[EdgePlugin(settings)])
    passwords: dict[str, str] = {}
    for start in (1, 2):
        async with running(host) as app:
            if not passwords:
                await add_people(app)
                passwords.update(app.passwords)
            app.passwords.update(passwords)
            user, admin = [(await app.login(name))["access_token"] for name in ("user", "admin")]
            refused = await app.get("/vault", user)
            assert (refused.status_code, refused.json()["code"]) == (403, "role_missing")
            assert len(asked) == start - 1
            assert (await app.get("/vault", admin)).text == "inside"
            assert asked[-1] == (await app.get("/whoami", admin)).text
            assert len(asked) == start
    [route] = [route for route in host.routes if route.path == "/vault"]
    assert isinstance(route, HTTPRoute)
    assert [
        len(handler.resolve_guards()) for handler in route.route_handlers if handler.guards
    ] == [1]


# Litestar 2 takes `data: Note` for JSON, and warns that Litestar 3 will not.
without_marker = pytest.mark.filterwarnings("ignore:.*Reserved kwarg 'data'")


@without_marker
@pytest.mark.parametrize(
    ("path", "taken", "body"),
    [
        ("/notes/json", JSON, b'{"text": "good"}'),
        ("/notes/plain", JSON, b'{"text": "good"}'),
        ("/notes/dto", JSON, b'{"text": "good"}'),
        ("/notes/read", JSON, b'{"text": "good"}'),
        ("/notes/form", FORM, b"text=good"),
        ("/notes/parts", PARTS, parts(2)),
        ("/notes/parts", f'{PARTS}; charset="utf-8"', parts(2)),
        ("/notes/form-read", FORM, b"text=good"),
        ("/notes/packed", PACKED, msgspec.msgpack.encode({"text": "good"})),
        ("/notes/packed-read", PACKED, msgspec.msgpack.encode({"text": "good"})),
    ],
)
async def test_a_body_of_another_type_is_refused(
    settings: Settings, path: str, taken: str, body: bytes
) -> None:
    """However a route of one's own takes its body, it takes one type; text/plain is none."""
    async with running(Litestar(NOTES, plugins=[EdgePlugin(settings)])) as app:
        good = await app.http.post(path, content=body, headers={"Content-Type": taken})
        assert (good.status_code, good.text) == (201, "good")
        others = {JSON, FORM, PACKED, *NEVER} - {taken}
        if path != "/notes/form-read":  # which takes both kinds of forms
            others |= {PARTS} - {taken[: len(PARTS)]}
        for other in others:
            answer = await app.http.post(path, content=body, headers={"Content-Type": other})
            assert answer.status_code == 415, other


@without_marker
@pytest.mark.parametrize(
    ("path", "content_type", "body", "code"),
    [
        ("/notes/json", JSON, b"", "body_missing"),
        ("/notes/form", FORM, b"other=x", "validation_failed"),
        ("/notes/parts", PARTS, b"no parts", "request_invalid"),
        ("/notes/parts", "multipart/form-data", b"no boundary", "content_type_unsupported"),
        ("/notes/packed", PACKED, b"", "body_missing"),
        ("/notes/packed", PACKED, b"\x01", "validation_failed"),
        ("/notes/packed", PACKED, b"\xc1", "request_invalid"),
        ("/notes/packed", PACKED, b"\x91" * 60_000, "request_invalid"),
        ("/notes/packed-read", PACKED, b"\xc1", "request_invalid"),
        ("/notes/packed-read", PACKED, b"\x91" * 60_000, "request_invalid"),
    ],
)
async def test_a_body_that_is_not_what_it_says_is_the_clients_fault(
    settings: Settings, path: str, content_type: str, body: bytes, code: str
) -> None:
    """In each type that a route of one's own may take; what is there is not called missing."""
    async with running(Litestar(NOTES, plugins=[EdgePlugin(settings)])) as app:
        answer = await app.http.post(path, content=body, headers={"Content-Type": content_type})
    assert answer.json()["code"] == code
    assert answer.status_code in {400, 415}


async def test_a_request_class_of_ones_own_is_not_that_of_edge(settings: Settings) -> None:
    """It is used for the app's routes, and Edge's stay as strict as they are."""

    class OwnRequest(Request[None, None, State]):
        pass

    @get("/whose", opt=dict(PUBLIC))
    async def whose(request: Request[None, None, State]) -> str:
        return type(request).__name__

    host = Litestar([whose], request_class=OwnRequest, plugins=[EdgePlugin(settings)])
    async with running(host) as app:
        await add_people(app)
        form = {"grant_type": "password", "username": "user", "password": app.passwords["user"]}
        as_text = await app.http.post("/login", content=b"{}", headers={"Content-Type": "text/x"})

        assert (await app.get("/whose")).text == "OwnRequest"
        assert (await app.http.post("/token", data=form)).status_code == 200
        assert as_text.status_code == 415


@without_marker
async def test_bodies_of_an_app_of_ones_own_have_limits(settings: Settings) -> None:
    """Depth of JSON and fields of forms, in parts too, are those of the settings."""
    server = msgspec.structs.replace(settings.server, max_json_depth=3, max_form_fields=16)
    settings = msgspec.structs.replace(settings, server=server)
    async with running(Litestar(NOTES, plugins=[EdgePlugin(settings)])) as app:
        for path, content_type, body, status in (
            ("/notes/dto", JSON, b'{"text": "good", "more": [[]]}', 201),
            ("/notes/dto", JSON, b'{"text": "good", "more": [[[]]]}', 400),
            ("/notes/form", FORM, b"text=good" + b"&x=1" * 15, 201),
            ("/notes/form", FORM, b"text=good" + b"&x=1" * 16, 400),
            ("/notes/form-read", FORM, b"text=good" + b"&x=1" * 16, 400),
            ("/notes/parts", PARTS, parts(16), 201),
            ("/notes/parts", PARTS, parts(17), 400),
        ):
            answer = await app.http.post(path, content=body, headers={"Content-Type": content_type})
            assert answer.status_code == status, (path, body, answer.text)


async def test_a_bad_parameter_is_named(settings: Settings) -> None:
    """Litestar's own validation errors become problem documents too."""
    async with running(make_app(settings)) as app:
        await add_people(app)
        token = (await app.login("user"))["access_token"]
        answer = await app.get("/counted?limit=many&secret=hunter2hunter2", token)

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
        assert answer.json()["errors"][0]["pointer"] == "/query/limit"
        assert "hunter2" not in answer.text


async def test_an_unexpected_error_says_nothing_of_the_inside(settings: Settings) -> None:
    """A 500 is a problem document without the message of the exception."""
    async with running(make_app(settings)) as app:
        answer = await app.get("/broken")

        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert "secret" not in answer.text


async def test_a_request_that_went_around_the_layer_is_refused(settings: Settings) -> None:
    """Without its lifespan the app has no outermost layer, and lets nobody in."""
    app = make_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type] # Litestar's own ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="http://edge.test") as http:
        assert (await http.get("/open")).status_code == 500


async def test_an_app_may_be_started_again(settings: Settings) -> None:
    """Started a second time, it works as the first time: one layer, hashes, and the same keys."""
    app = make_app(settings)
    async with running(app) as first:
        await first.add_user("someone")
        token = (await first.login("someone"))["access_token"]
    async with running(app) as second:
        second.passwords = first.passwords
        answer = await second.get("/unmarked", token)

        assert answer.status_code == 200
        assert len(answer.headers.get_list("x-request-id")) == 1
        assert await second.login("someone")


async def test_apps_that_have_ended_are_let_go(settings: Settings) -> None:
    """Who makes many, as tests do, does not run out of memory: only the last is remembered."""
    edges = []
    for _ in range(3):
        async with running(make_app(settings)) as app:
            answer = await app.http.post("/token", data={"grant_type": "nonsense"})
            assert answer.status_code == 400
            edges.append(weakref.ref(app.edge))
    gc.collect()
    assert [edge() for edge in edges[:-1]] == [None, None]


def test_settings_that_cannot_be_run_with_stop_the_plugin(tmp_path: Path) -> None:
    """Settings made in code are held to the same rules as those from the environment."""
    good = make_settings(tmp_path, f"sqlite:///{tmp_path}/edge.db")
    with pytest.raises(SettingsError, match="EDGE_SECRET_KEY"):
        EdgePlugin(msgspec.structs.replace(good, environment="production"))
