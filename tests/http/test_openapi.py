"""The OpenAPI document: every route, who may use it, and all that it can answer."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from litestar import Litestar, get, post
from litestar.connection import ASGIConnection
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Server
from litestar.params import Body, FromPath, FromQuery, JSONBody
from litestar.routes import HTTPRoute

from edge import PUBLIC, EdgePlugin, accepts, requires_any_role, requires_scope
from edge.http.enforcement import accepted_methods
from edge.http.problems import _TITLES
from edge.http.rate_limits import UNLIMITED
from edge.ratelimit.policy import Policy
from edge.reasons import Reason
from edge.settings import Settings
from tests.support.app import RunningApp, running, running_service

Document = Mapping[str, Any]
Codes = dict[int, set[str]]

# Known of no route in particular, or only of one that an app of one's own may have.
OF_NO_ROUTE_OF_EDGE = {
    Reason.METHOD_NOT_ALLOWED,
    Reason.SCHEME_UNSUPPORTED,
    Reason.REQUEST_INVALID,
    Reason.FORM_TOO_LARGE,
    Reason.LIMITS_UNAVAILABLE,
    # Of preflights, and of the questions of load balancers.
    Reason.ORIGIN_REFUSED,
    Reason.FORWARD_INCOMPLETE,
    Reason.IDENTITY_FIELD_SENT,
    Reason.IDENTITY_TOO_LARGE,
    Reason.PEER_UNTRUSTED,
    Reason.RULE_MISSING,
}


# What any request may be answered, before its route is looked for and after all else.
OF_EVERY_ROUTE: Codes = {
    400: {"host_invalid", "path_ambiguous", "field_repeated"},
    414: {"url_too_long"},
    431: {"too_many_fields"},
    500: {"internal_error"},
}


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """A body with everything that is checked."""

    text: Annotated[str, msgspec.Meta(max_length=9)]
    tags: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=2)], ...], msgspec.Meta(max_length=3)
    ] = ()


async def own_guard(_: ASGIConnection[Any, Any, Any, Any], __: BaseRouteHandler) -> None:
    raise PermissionDeniedException


@get("/open", opt=dict(PUBLIC))
async def open_to_all() -> str:
    return "open"


@get("/counted/{name:str}", opt=dict(PUBLIC))
async def counted(name: FromPath[str], limit: FromQuery[int] = 1) -> str:
    return name * limit


@get("/either", opt=accepts("basic"), guards=[requires_any_role("auditor", "admin"), own_guard])
async def either() -> str:
    return "either"


@get("/scoped", guards=[requires_scope("read", "list")], refuses={404: [Reason.NOT_FOUND]})
async def scoped() -> str:
    return "scoped"


@post("/notes", opt=dict(PUBLIC))
async def as_json(data: JSONBody[Note]) -> str:
    return data.text


@post("/notes/form", opt=dict(PUBLIC))
async def as_form(
    data: Annotated[Note, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> str:
    return data.text


@post("/notes/parts", opt=dict(PUBLIC))
async def in_parts(
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> str:
    return str(data)


@get(
    "/limited",
    opt=dict(PUBLIC),
    rate_policies=[Policy(name="own", limit=1, window_s=60, on_outage="deny")],
)
async def limited() -> str:
    return "limited"


@get("/unlimited", opt={**PUBLIC, **UNLIMITED})
async def unlimited() -> str:
    return "unlimited"


OWN = [open_to_all, counted, either, scoped, as_json, as_form, in_parts, limited, unlimited]


@pytest.fixture
def settings(sqlite_settings: Settings) -> Settings:
    return sqlite_settings


async def read(app: RunningApp) -> Document:
    document: Document = (await app.get("/openapi.json")).json()
    return document


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def codes_of(operation: Document) -> Codes:
    """Give the codes of the errors that an operation has, by status."""
    return {
        int(status): {
            code
            for content in answer.get("content", {}).values()
            for code in content.get("examples", ())
        }
        for status, answer in operation["responses"].items()
        if status >= "400"
    }


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from references(part)


async def test_every_route_is_in_it_with_who_may(app: RunningApp) -> None:
    """Its security is what the route takes: nothing where it is public, a secret for clients."""
    schemes = {"bearer": {"bearer", "oauth2"}, "basic": {"basic"}}
    document = await read(app)
    found = 0
    for route in app.served.routes:
        assert isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items():
            if not handler.resolve_include_in_schema():
                continue
            operation = document["paths"][route.path_format][method.lower()]
            named = {name for one in operation["security"] for name in one}
            methods = accepted_methods(handler.opt)
            expected = {name for method in methods for name in schemes[method]}
            assert named - {"client"} == expected, (method, route.path)
            assert operation["summary"]
            assert operation["tags"]
            found += 1
    assert found >= 30
    clients = [path for _, path, one in operations(document) if {"client": []} in one["security"]]
    assert clients == ["/token", "/oauth/revoke", "/oauth/introspect"]


async def test_every_reference_leads_somewhere(app: RunningApp) -> None:
    """What is said once is there."""
    document = await read(app)
    named = set(references(document))
    for reference in named:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step.replace("~1", "/")]
    assert len(named) >= 50


async def test_every_error_has_an_example(app: RunningApp) -> None:
    """Each code that a route can answer stands there with the document that it comes in."""
    document = await read(app)
    for name, example in document["components"]["examples"].items():
        code = name.removeprefix("edge.")
        value = example["value"]
        assert code in (value.get("code"), value.get("error"))
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400" and method != "head":
                assert answer["content"], (method, path, status)


async def test_every_code_belongs_to_a_route(settings: Settings, tmp_path: Path) -> None:
    """A code that problem documents can have is named by a route that answers with it."""
    (served := tmp_path / "served").mkdir()
    files = msgspec.structs.replace(settings.files, root=served)
    async with running_service(msgspec.structs.replace(settings, files=files)) as app:
        document = await read(app)
    named = {
        code
        for *_, one in operations(document)
        for codes in codes_of(one).values()
        for code in codes
    }

    assert {reason.value for reason in _TITLES} - named == OF_NO_ROUTE_OF_EDGE


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("get", "/open", {}),
        ("get", "/unlimited", {}),
        ("get", "/counted/{name}", {400: {"validation_failed"}}),
        (
            "get",
            "/either",
            {
                400: {"authorization_malformed", "authorization_repeated"},
                401: {"credentials_missing", "credentials_invalid", "account_disabled"},
                403: {"role_missing", "request_invalid"},
                429: {"rate_limited"},
                503: {"store_unavailable", "hashing_overloaded"},
            },
        ),
        (
            "post",
            "/notes",
            {
                400: {
                    "body_missing",
                    "body_incomplete",
                    "validation_failed",
                    "json_invalid",
                    "json_too_deep",
                },
                408: {"body_timeout"},
                413: {"body_too_large"},
                415: {"content_type_unsupported", "content_encoding_unsupported"},
            },
        ),
        (
            "post",
            "/notes/form",
            {
                400: {"body_missing", "body_incomplete", "validation_failed", "form_too_large"},
                408: {"body_timeout"},
                413: {"body_too_large"},
                415: {"content_type_unsupported", "content_encoding_unsupported"},
            },
        ),
        (
            "post",
            "/notes/parts",
            {
                400: {"body_missing", "body_incomplete", "validation_failed", "request_invalid"},
                408: {"body_timeout"},
                413: {"body_too_large"},
                415: {"content_type_unsupported", "content_encoding_unsupported"},
            },
        ),
        (
            "get",
            "/limited",
            {429: {"rate_limited"}, 503: {"limits_unavailable"}},
        ),
    ],
)
async def test_errors_follow_from_the_declaration(
    settings: Settings, method: str, path: str, expected: Codes
) -> None:
    """Of credentials, guards, parameters, bodies and policies, in an app of one's own too."""
    async with running(Litestar(OWN, plugins=[EdgePlugin(settings)])) as app:
        document = await read(app)

    everywhere = OF_EVERY_ROUTE.items()
    codes = {status: known | expected.pop(status, set()) for status, known in everywhere}
    assert codes_of(document["paths"][path][method]) == {**codes, **expected}


async def test_a_route_says_what_else_it_refuses(settings: Settings) -> None:
    """`refuses=` adds to what follows; roles and scopes are told in words."""
    async with running(Litestar(OWN, plugins=[EdgePlugin(settings)])) as app:
        paths = (await read(app))["paths"]
    scoped, either = paths["/scoped"]["get"], paths["/either"]["get"]

    assert codes_of(scoped)[404] == {"not_found"}
    assert codes_of(scoped)[403] == {"insufficient_scope"}
    assert scoped["security"] == [{"bearer": []}, {"oauth2": ["list", "read"]}]
    assert scoped["description"] == "Needs the scope `list` and `read`."
    assert either["description"] == "Needs the role `auditor` or `admin`."


async def test_a_strict_body_is_described_as_it_is_decoded(settings: Settings) -> None:
    """Unknown fields are forbidden, and bounds stand where they hold."""
    async with running(Litestar(OWN, plugins=[EdgePlugin(settings)])) as app:
        note = (await read(app))["components"]["schemas"]["Note"]

    assert note["additionalProperties"] is False
    assert note["properties"] == {
        "text": {"type": "string", "maxLength": 9},
        "tags": {
            "type": "array",
            "items": {"type": "string", "minLength": 2},
            "maxItems": 3,
            "default": [],
        },
    }


async def test_paths_are_relative_to_the_document(settings: Settings) -> None:
    """So they hold behind a proxy that adds a path, and in an app that has one of its own."""
    for path, server in (("/", "./"), ("/edge", "../"), ("/edge/two", "../../")):
        async with running(Litestar(path=path, plugins=[EdgePlugin(settings)])) as app:
            prefix = path.rstrip("/")
            document = (await app.get(f"{prefix}/openapi.json")).json()
            assert document["servers"] == [{"url": server}]
            assert f"{prefix}/login" in document["paths"]
    servers = [Server(url="https://api.test/v1")]
    config = OpenAPIConfig(title="Own", version="1", servers=servers)
    async with running(Litestar(plugins=[EdgePlugin(settings)], openapi_config=config)) as app:
        assert (await read(app))["servers"] == [{"url": "https://api.test/v1"}]


async def test_it_names_the_flows_that_are_on(settings: Settings) -> None:
    """Without the password grant there is no flow for it; scopes are those of the settings."""
    tokens = msgspec.structs.replace(settings.tokens, password_grant=False)
    off = msgspec.structs.replace(settings, tokens=tokens)
    flows = []
    for one in (settings, off):
        async with running(Litestar(plugins=[EdgePlugin(one)])) as app:
            schemes = (await read(app))["components"]["securitySchemes"]
            flows.append(schemes["oauth2"]["flows"])

    assert flows[0].keys() == {"password", "clientCredentials"}
    assert flows[1].keys() == {"clientCredentials"}
    assert flows[0]["password"]["scopes"].keys() == settings.access.scopes.keys()
    assert flows[0]["password"]["tokenUrl"] == "/token"


async def test_options_names_every_method_of_a_path(app: RunningApp) -> None:
    """Also of one whose handlers were added one after the other."""
    await app.add_user("someone", ["admin"])
    headers = {"Authorization": f"Bearer {(await app.login('someone'))['access_token']}"}
    document = await read(app)
    for path, item in document["paths"].items():
        answer = await app.http.options(path.replace("{", "").replace("}", ""), headers=headers)
        if answer.status_code != 401:  # takes other credentials
            allowed = set(answer.headers["allow"].split(", "))
            assert allowed == {"OPTIONS", *map(str.upper, item)}, path
