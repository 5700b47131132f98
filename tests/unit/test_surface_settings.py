"""CORS and security headers in settings: what they become, and what is refused."""

import base64
import secrets
from pathlib import Path

import pytest

from edge.http.cors import CorsPolicy
from edge.settings import Loaded, load
from edge.surface import cors_policies, security_headers_of

PRODUCTION = {
    "EDGE_ENVIRONMENT": "production",
    "EDGE_ISSUER": "https://id.test",
    "EDGE_SECRET_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
}

NO_SLASH = "and paths are compared without a slash at their end"


def load_toml(folder: Path, toml: str, **more: str) -> Loaded:
    path = folder / "surface.toml"
    path.write_text(toml)
    return load({"EDGE_CONFIG": str(path), **more})


def policies(**environ: str) -> list[CorsPolicy]:
    return cors_policies(load(environ).or_raise())


def test_production_allows_what_is_listed_and_nothing_else() -> None:
    """Development allows localhost at any port besides."""
    listed = {"EDGE_CORS_ALLOW_ORIGINS": "https://app.test,https://*.app.test"}
    (development,) = policies(**listed)
    assert "http://localhost" in development.any_port_of
    (production,) = policies(**PRODUCTION, **listed)
    assert production.any_port_of == ()
    assert production.origins == ("https://app.test", "https://*.app.test")


def test_each_setting_of_cors_reaches_its_policy(tmp_path: Path) -> None:
    """Policies by path come first, each with values of its own; defaults are not inherited."""
    toml = """
        [cors]
        allow_origins = ["https://app.test"]
        allow_methods = ["GET"]
        allow_headers = ["X-One"]
        expose_headers = ["X-Two"]
        max_age_s = 1
        allow_credentials = true

        [[cors.policies]]
        paths = ["/public/*"]
        allow_origins = ["*"]

        [ratelimit]
        legacy_fields = true
    """
    first, last = cors_policies(load_toml(tmp_path, toml, **PRODUCTION).or_raise())
    legacy = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    assert first == CorsPolicy(paths=("/public/*",), origins=("*",), exposed=legacy)
    assert last == CorsPolicy(
        origins=("https://app.test",),
        methods=("GET",),
        headers=("X-One",),
        exposed=("X-Two", *legacy),
        max_age_s=1,
        credentials=True,
    )


def test_each_setting_of_headers_reaches_the_answers(tmp_path: Path) -> None:
    """HSTS, and what is other by path."""
    toml = """
        [headers]
        hsts = "max-age=1"

        [[headers.overrides]]
        paths = ["/app/*"]
        profile = "page"
        [headers.overrides.fields]
        x-frame-options = "SAMEORIGIN"
    """
    headers = security_headers_of(load_toml(tmp_path, toml).or_raise())
    fields = dict(headers.complete([], {}, "/app/x", is_https=True, is_authenticated=False))
    assert fields[b"strict-transport-security"] == b"max-age=1"
    assert fields[b"x-frame-options"] == b"SAMEORIGIN"
    assert b"script-src 'self'" in fields[b"content-security-policy"]


def test_every_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    """Those of lists of tables by number and key, all at once."""
    toml = """
        [cors]
        allow_origins = ["*"]
        allow_credentials = true

        [[cors.policies]]
        paths = ["public"]
        allow_origins = ["*", "https://a.test/"]
        allow_credentials = true
    """
    errors = load_toml(tmp_path, toml).errors
    assert [(error.variable, error.problem.split(":")[0]) for error in errors] == [
        ("EDGE_CORS_POLICIES[0].paths", "has 'public', which no path is"),
        ("EDGE_CORS_ALLOW_ORIGINS", "has * while credentials are allowed"),
        ("EDGE_CORS_POLICIES[0].allow_origins", "has * while credentials are allowed"),
        ("EDGE_CORS_POLICIES[0].allow_origins", "has 'https"),
    ]
    slashes = """
        [[cors.policies]]
        paths = ["/a/"]

        [[headers.overrides]]
        paths = ["/", "/b/*", "/b/"]

        [[ratelimit.policies]]
        name = "few"
        limit = 1
        window_s = 1
        paths = ["c"]
    """
    assert [(one.variable, one.problem) for one in load_toml(tmp_path, slashes).errors] == [
        ("EDGE_CORS_POLICIES[0].paths", f"has '/a/', {NO_SLASH}"),
        ("EDGE_HEADERS_OVERRIDES[0].paths", f"has '/b/', {NO_SLASH}"),
        ("EDGE_RATELIMIT_POLICIES[0].paths", "has 'c', which no path is"),
    ]
    tables = """
        [[cors.policies]]
        allow_origins = ["https://a.test"]

        [[headers.overrides]]
        paths = ["/a"]
        fields = { x-frame-option = "DENY" }

        [[headers.overrides]]
        paths = []
        profile = "pages"
    """
    assert {error.variable for error in load_toml(tmp_path, tables).errors} == {
        "EDGE_CORS_POLICIES[0].paths",
        "EDGE_HEADERS_OVERRIDES[0].fields",
        "EDGE_HEADERS_OVERRIDES[1].paths",
        "EDGE_HEADERS_OVERRIDES[1].profile",
    }


@pytest.mark.parametrize(
    ("origin", "in_production"),
    [("null", True), ("null", False), ("http://app.test", True)],
)
def test_what_may_be_meant_is_warned_about(
    origin: str,
    in_production: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """It starts, and `edge check` says what it means."""
    more = PRODUCTION if in_production else {}
    loaded = load({"EDGE_CORS_ALLOW_ORIGINS": origin, **more})
    warned = [one for one in loaded.findings if one.variable == "EDGE_CORS_ALLOW_ORIGINS"]
    assert [one.severity for one in warned] == ["warning"]
    assert not loaded.errors
