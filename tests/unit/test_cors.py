"""CORS: what the pages of which origins are told."""

import pytest

from edge.http.cors import Cors

APP = "https://app.test"
VARY = (b"vary", b"Origin")
Fields = list[tuple[bytes, bytes]]


def request(origin: str | None = None, method: str | None = None) -> Fields:
    fields: Fields = [(b"host", b"edge.test")]
    if origin is not None:
        fields.append((b"origin", origin.encode()))
    if method is not None:
        fields.append((b"access-control-request-method", method.encode()))
    return fields


def shown(origin: bytes, *more: tuple[bytes, bytes]) -> Fields:
    exposed = (
        b"access-control-expose-headers",
        b"WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id",
    )
    return [(b"access-control-allow-origin", origin), exposed, *more]


CREDENTIALS = (b"access-control-allow-credentials", b"true")


@pytest.mark.parametrize(
    ("origins", "allow_credentials", "origin", "fields"),
    [
        # Off: nothing at all.
        ([], False, None, []),
        ([], False, APP, []),
        ([], True, APP, []),
        # Some origins: caches are told, and only exact origins see more.
        ([APP], False, None, [VARY]),
        ([APP], False, APP, [VARY, *shown(b"https://app.test")]),
        ([APP], True, APP, [VARY, *shown(b"https://app.test", CREDENTIALS)]),
        (
            [APP, "http://localhost:3000"],
            False,
            "http://localhost:3000",
            [VARY, *shown(b"http://localhost:3000")],
        ),
        ([APP], True, "https://evil.test", [VARY]),
        ([APP], True, "null", [VARY]),
        ([APP], True, "", [VARY]),
        ([APP], True, "http://app.test", [VARY]),
        ([APP], True, "https://app.test:8443", [VARY]),
        ([APP], True, "https://app.test/", [VARY]),
        ([APP], True, "https://app.test.evil.test", [VARY]),
        ([APP], True, "https://evil.test/https://app.test", [VARY]),
        ([APP], True, "https://sub.app.test", [VARY]),
        ([APP], True, "https://appxtest", [VARY]),
        ([APP], True, "https://APP.test", [VARY]),
        ([APP], True, "https://app.test, https://evil.test", [VARY]),
        ([APP], True, "*", [VARY]),
        ([APP], True, "https://app.t\u00e9st", [VARY]),
        # All origins: the same answer for everybody, and nothing for nobody.
        (["*"], False, None, []),
        (["*"], False, APP, shown(b"*")),
        (["*"], False, "null", shown(b"*")),
        (["*", APP], False, APP, shown(b"*")),
    ],
)
def test_an_origin_is_told_what_is_its_due(
    origins: list[str],
    allow_credentials: bool,  # noqa: FBT001  # a row of the table
    origin: str | None,
    fields: Fields,
) -> None:
    """Allowed origins are named back, others learn nothing, and caches keep them apart."""
    cors = Cors(origins, allow_credentials=allow_credentials)
    assert cors.fields(request(origin)) == fields


def test_a_wildcard_never_goes_with_credentials() -> None:
    """Where all origins may read, none may send credentials, whatever was asked for."""
    cors = Cors(["*"], allow_credentials=True)
    assert CREDENTIALS not in cors.fields(request(APP))


@pytest.mark.parametrize(
    ("origins", "method", "fields", "is_one"),
    [
        ([APP], "OPTIONS", request(APP, "POST"), True),
        ([APP], "OPTIONS", request("https://evil.test", "POST"), True),
        (["*"], "OPTIONS", request(APP, "POST"), True),
        ([APP], "OPTIONS", request(APP), False),
        ([APP], "OPTIONS", request(None, "POST"), False),
        ([APP], "OPTIONS", request(), False),
        ([APP], "POST", request(APP, "POST"), False),
        ([APP], "GET", request(APP, "GET"), False),
        ([], "OPTIONS", request(APP, "POST"), False),
    ],
)
def test_a_preflight_is_an_options_request_with_both_fields(
    origins: list[str],
    method: str,
    fields: Fields,
    is_one: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """Anything else goes on to the app, and everything does where CORS is off."""
    assert Cors(origins, allow_credentials=False).is_preflight(method, fields) is is_one


@pytest.mark.parametrize(("origins", "origin"), [([APP], APP), (["*"], "https://any.test")])
def test_a_preflight_of_an_allowed_origin_is_told_methods_and_fields(
    origins: list[str], origin: str
) -> None:
    """It may send credentials and JSON with every method, and ask again in ten minutes."""
    cors = Cors(origins, allow_credentials=False)
    assert cors.preflight_fields(request(origin, "DELETE")) == [
        (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
        (b"access-control-allow-headers", b"Authorization, Content-Type, X-Request-Id"),
        (b"access-control-max-age", b"600"),
    ]


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "", None])
def test_a_preflight_of_any_other_origin_is_told_nothing(origin: str | None) -> None:
    """An origin that is not allowed learns neither methods nor fields."""
    assert Cors([APP], allow_credentials=True).preflight_fields(request(origin, "POST")) == []
