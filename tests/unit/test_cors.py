"""CORS: what the pages of which origins are told."""

import pytest

from edge.http.cors import LOCALHOST, Cors, CorsPolicy, CorsRule, is_preflight

APP = "https://app.test"
VARY = (b"vary", b"Origin")
CREDENTIALS = (b"access-control-allow-credentials", b"true")
Fields = list[tuple[bytes, bytes]]


def shown(origin: bytes, *more: tuple[bytes, bytes]) -> Fields:
    exposed = (
        b"access-control-expose-headers",
        b"WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id",
    )
    return [(b"access-control-allow-origin", origin), exposed, *more]


def rule(*origins: str, credentials: bool = False, any_port_of: tuple[str, ...] = ()) -> CorsRule:
    policy = CorsPolicy(origins=origins, credentials=credentials, any_port_of=any_port_of)
    return CorsRule(policy)


@pytest.mark.parametrize("origin", [APP, "null", None])
def test_where_nobody_may_read_nothing_is_said(origin: str | None) -> None:
    """Without origins there is no rule, and so no field."""
    assert Cors([]).rule_for("/") is None
    assert Cors([CorsPolicy()]).rule_for("/") is None
    assert not rule().allows(str(origin).encode())


@pytest.mark.parametrize(
    ("origins", "credentials", "origin", "fields"),
    [
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
        # null, where it is named.
        ([APP, "null"], False, "null", [VARY, *shown(b"null")]),
        # All origins: the same answer for everybody, and nothing for nobody.
        (["*"], False, None, []),
        (["*"], False, APP, shown(b"*")),
        (["*"], False, "null", shown(b"*")),
        (["*", APP], False, APP, shown(b"*")),
        (["*"], True, APP, shown(b"*")),
    ],
)
def test_an_origin_is_told_what_is_its_due(
    origins: list[str],
    credentials: bool,  # noqa: FBT001  # a row of the table
    origin: str | None,
    fields: Fields,
) -> None:
    """Allowed origins are named back, others learn nothing, and `*` never goes with credentials."""
    sent = None if origin is None else origin.encode("latin-1")
    assert rule(*origins, credentials=credentials).fields(sent) == fields


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://a.example.com", True),
        ("https://a-1.example.com", True),
        ("https://xn--bcher-kva.example.com", True),
        ("https://a.example.com:8443", False),
        ("https://example.com", False),
        ("https://.example.com", False),
        ("https://-a.example.com", False),
        ("https://a.b.example.com", False),
        ("http://a.example.com", False),
        ("https://A.example.com", False),
        ("https://a.example.com.evil.test", False),
        ("https://evil.test/.example.com", False),
        ("https://evil.test#.example.com", False),
        ("https://user@a.example.com", False),
        ("https://axexample.com", False),
        ("https://a.examplexcom", False),
        ("https://a.example.com\n", False),
        ("https://*.example.com", False),
        (f"https://{'a' * 63}.example.com", True),
        (f"https://{'a' * 64}.example.com", False),
    ],
)
def test_a_pattern_stands_for_one_label(
    origin: str,
    is_allowed: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """`https://*.example.com` is each direct subdomain, by https, at the default port."""
    assert rule("https://*.example.com").allows(origin.encode()) is is_allowed


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://localhost", True),
        ("http://localhost:3000", True),
        ("https://localhost:5173", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost:", False),
        ("http://localhost:03000", False),
        ("http://localhost:3000.evil.test", False),
        ("http://localhost.evil.test", False),
        ("http://notlocalhost:3000", False),
        ("http://127.0.0.10", False),
        ("http://127.0.0.1.evil.test:80", False),
        ("null", False),
    ],
)
def test_localhost_is_any_port_of_this_machine(
    origin: str,
    is_allowed: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """What development allows is this machine and nothing that looks like it."""
    assert rule(any_port_of=LOCALHOST).allows(origin.encode()) is is_allowed


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/", APP),
        ("/public", APP),
        ("/public/prices", "*"),
        ("/public/partner/prices", "*"),
        ("/partner/prices", "https://partner.test"),
        ("/closed/prices", None),
    ],
)
def test_the_first_policy_that_covers_a_path_decides(path: str, origin: str | None) -> None:
    """Policies by path come before the one for all paths; one without origins closes its paths."""
    cors = Cors(
        [
            CorsPolicy(paths=("/public/*",), origins=("*",)),
            CorsPolicy(paths=("*/partner/*",), origins=("https://partner.test",)),
            CorsPolicy(paths=("/closed/*",)),
            CorsPolicy(origins=(APP,)),
        ]
    )
    found = cors.rule_for(path)
    if origin is None:
        assert found is None
        return
    assert found is not None
    allowed = APP if origin == "*" else origin
    assert found.fields(allowed.encode())[-2:] == shown(origin.encode())


@pytest.mark.parametrize(
    ("method", "fields", "is_one"),
    [
        ("OPTIONS", [b"origin", b"access-control-request-method"], True),
        ("OPTIONS", [b"origin"], False),
        ("OPTIONS", [b"access-control-request-method"], False),
        ("OPTIONS", [], False),
        ("POST", [b"origin", b"access-control-request-method"], False),
        ("options", [b"origin", b"access-control-request-method"], False),
    ],
)
def test_a_preflight_is_an_options_request_with_both_fields(
    method: str,
    fields: list[bytes],
    is_one: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """Anything else goes on to the app."""
    assert is_preflight(method, dict.fromkeys(fields, b"x")) is is_one


def test_a_preflight_is_told_methods_and_fields() -> None:
    """Those of the policy, and for how long that is good."""
    policy = CorsPolicy(
        origins=(APP,), methods=("GET", "PURGE"), headers=("X-One", "X-Two"), max_age_s=7
    )
    assert CorsRule(policy).preflight_fields() == [
        (b"access-control-allow-methods", b"GET, PURGE"),
        (b"access-control-allow-headers", b"X-One, X-Two"),
        (b"access-control-max-age", b"7"),
    ]


def test_a_page_may_read_what_the_policy_adds() -> None:
    """Further fields are exposed behind those that every page needs."""
    policy = CorsPolicy(origins=(APP,), exposed=("X-One",))
    exposed = dict(CorsRule(policy).fields(APP.encode()))[b"access-control-expose-headers"]
    assert exposed.endswith(b"X-Request-Id, X-One")
