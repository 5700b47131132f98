"""Security headers: what is added to an answer, and what it may say itself."""

import json
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest

from edge.http.security_headers import (
    CLEAR_SITE_DATA,
    FIELD_NAMES,
    PROFILES,
    HeaderOverride,
    Profile,
    SecurityHeaders,
    security_headers,
)
from edge.settings.model import HeaderOverride as HeaderOverrideSettings
from edge.settings.model import Headers
from tests.support.vectors import vectors

HSTS = "max-age=63072000; includeSubDomains"
Fields = Mapping[str, str]


def completed(
    own: Fields | None = None,
    opt: Mapping[str, Any] | None = None,
    path: str = "/",
    overrides: Iterable[HeaderOverride] = (),
    *,
    is_https: bool = False,
    is_authenticated: bool = False,
) -> dict[str, str]:
    """Give the fields of an answer as a client sees them; a field may be there only once."""
    encoded = [(name.encode(), value.encode()) for name, value in (own or {}).items()]
    fields = SecurityHeaders(HSTS, list(overrides)).complete(
        encoded, opt or {}, path, is_https=is_https, is_authenticated=is_authenticated
    )
    names = [name for name, _ in fields]
    assert len(names) == len(set(names))
    return {name.decode(): value.decode() for name, value in fields}


@pytest.mark.parametrize("profile", ["api", "page"])
def test_the_values_are_those_of_owasp(profile: Profile) -> None:
    """Each field of the OWASP Secure Headers Project is there with its value, or a stricter one."""
    file = vectors("owasp-secure-headers") / "headers_add.json"
    owasp = {one["name"].lower(): one["value"] for one in json.loads(file.read_text())["headers"]}
    ours = completed(opt=security_headers(profile), is_https=True) | {
        name.lower(): value for name, value in CLEAR_SITE_DATA.items()
    }
    stricter = {
        # What is not stored has no age.
        "cache-control": ("no-store, max-age=0", "no-store"),
        "x-frame-options": ("deny", "DENY"),
    }
    for name, values in stricter.items():
        assert (owasp.pop(name), ours[name]) == values
    assert "'self'" in owasp.pop("content-security-policy")
    assert ours["content-security-policy"].startswith("default-src 'none'; ")
    theirs = {feature.split("=")[0] for feature in owasp.pop("permissions-policy").split(", ")}
    off = {feature.removesuffix("=()") for feature in ours["permissions-policy"].split(", ")}
    assert theirs <= off
    assert {name: ours.get(name) for name in owasp} == owasp
    assert ours["x-xss-protection"] == "0"


def test_pages_run_and_load_what_comes_from_here_only() -> None:
    """Nothing inline, nothing made of strings, nothing from elsewhere; nobody may frame either."""
    for profile in PROFILES.values():
        csp = profile["content-security-policy"]
        assert "unsafe" not in csp
        assert "http" not in csp
        assert "frame-ancestors 'none'" in csp
        assert "base-uri 'none'" in csp


def test_hsts_is_for_https_only() -> None:
    """Over http a browser ignores it (RFC 6797 section 7.2), and anybody could have written it."""
    assert completed(is_https=True)["strict-transport-security"] == HSTS
    assert "strict-transport-security" not in completed()
    fields = SecurityHeaders("").complete([], {}, "/", is_https=True, is_authenticated=False)
    assert b"strict-transport-security" not in dict(fields)
    own = {"strict-transport-security": "max-age=1"}
    assert completed(own, is_https=True)["strict-transport-security"] == "max-age=1"


def test_what_an_answer_says_itself_stays() -> None:
    """A handler may be stricter or laxer; the others are added."""
    fields = completed({"content-security-policy": "default-src 'self'", "x-own": "1"})
    assert fields["content-security-policy"] == "default-src 'self'"
    assert fields["x-own"] == "1"
    assert fields["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("own", [{}, {"server": "litestar/2"}, {"x-powered-by": "Python"}])
def test_nothing_says_what_this_runs_on(own: Fields) -> None:
    """`Server` is there and empty, or Granian would write its own; others are taken out."""
    fields = completed(own)
    assert fields["server"] == ""
    assert "x-powered-by" not in fields


@pytest.mark.parametrize("own", ["public, max-age=300", "private", "no-cache", "max-age=1"])
def test_what_is_for_one_is_stored_by_nobody(own: str) -> None:
    """Of an authenticated request, whatever the handler says; else the handler decides."""
    said = {"cache-control": own}
    assert completed(said)["cache-control"] == own
    assert completed(said, is_authenticated=True)["cache-control"] == "no-store"
    assert completed()["cache-control"] == "no-store"
    assert completed(is_authenticated=True)["cache-control"] == "no-store"


def test_a_route_may_declare_other_headers() -> None:
    """A profile, other values, and an empty one for none; what it declares of caching holds."""
    opt = security_headers(
        "page", x_frame_options="SAMEORIGIN", permissions_policy="", cache_control="private"
    )
    fields = completed({"cache-control": "public"}, opt, is_authenticated=True)
    assert "script-src 'self'" in fields["content-security-policy"]
    assert fields["x-frame-options"] == "SAMEORIGIN"
    assert "permissions-policy" not in fields
    assert fields["cache-control"] == "private"
    with pytest.raises(ValueError, match=r"x-frame-option$"):
        security_headers(x_frame_option="DENY")


def test_an_override_by_path_wins() -> None:
    """The first that covers the path, over the profile, the route and the handler."""
    overrides = [
        HeaderOverride(paths=("/app/*",), profile="page", fields={"referrer-policy": ""}),
        HeaderOverride(paths=("/app/*", "/other"), fields={"x-frame-options": "SAMEORIGIN"}),
    ]
    own = {"referrer-policy": "origin", "content-security-policy": "default-src *"}
    in_app = completed(own, security_headers(), "/app/x", overrides)
    assert "script-src 'self'" in in_app["content-security-policy"]
    assert "referrer-policy" not in in_app
    assert in_app["x-frame-options"] == "DENY"
    elsewhere = completed(own, security_headers(), "/other", overrides)
    assert elsewhere["content-security-policy"] == "default-src *"
    assert elsewhere["x-frame-options"] == "SAMEORIGIN"
    assert completed(own, {}, "/app", overrides)["x-frame-options"] == "DENY"


def test_settings_know_the_same_fields() -> None:
    """What `[[headers.overrides]]` may name is what the layer manages."""
    (info,) = [
        one for one in msgspec.structs.fields(HeaderOverrideSettings) if one.name == "fields"
    ]
    name_type = typing.get_args(typing.get_args(info.type)[0])[0]
    assert set(typing.get_args(name_type)) == FIELD_NAMES
    assert Headers().hsts == HSTS
