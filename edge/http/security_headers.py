"""Security headers: two profiles, changed where a route is declared, or by path. Pure.

Values are those of the OWASP Secure Headers Project; the Content-Security-Policy is the strictest
that each kind of answer can live with.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from edge.globs import matches_any

Fields = list[tuple[bytes, bytes]]
Profile = Literal["api", "page"]

_OPTION: Final = "edge_headers"
_MOST_PATHS: Final = 4096

HSTS: Final = "strict-transport-security"
_CSP: Final = "content-security-policy"
_CACHE_CONTROL: Final = "cache-control"

_FEATURES: Final = (
    "accelerometer autoplay camera clipboard-read clipboard-write cross-origin-isolated"
    " display-capture encrypted-media fullscreen gamepad geolocation gyroscope hid idle-detection"
    " interest-cohort keyboard-map magnetometer microphone midi payment picture-in-picture"
    " publickey-credentials-get screen-wake-lock serial sync-xhr unload usb web-share"
    " xr-spatial-tracking"
)
_COMMON: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in _FEATURES.split()),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "x-permitted-cross-domain-policies": "none",
    "x-dns-prefetch-control": "off",
    # The filter it once switched on could be made to take out scripts that a page needs.
    "x-xss-protection": "0",
    _CACHE_CONTROL: "no-store",
}
PROFILES: Final[Mapping[Profile, Mapping[str, str]]] = {
    # Nothing in an answer of an API is ever to be run, framed, or loaded from.
    "api": {
        _CSP: "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        **_COMMON,
    },
    # A page runs and shows what comes from here, nothing inline, and talks to here only.
    "page": {
        _CSP: (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
            " font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none';"
            " form-action 'self'"
        ),
        **_COMMON,
    },
}
FIELD_NAMES: Final = frozenset({*PROFILES["api"], HSTS, "clear-site-data"})

# After logging out: what the browser has kept of this site.
CLEAR_SITE_DATA: Final = {"Clear-Site-Data": '"cache","cookies","storage"'}

# Granian would name itself, unless there is a value.
SERVER: Final = (b"server", b"")
_DISCLOSING: Final = frozenset({b"server", b"x-powered-by"})


class HeaderSet:
    """The security headers of a route, by their names in lower case; compared by identity."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields


_DEFAULT: Final = HeaderSet(PROFILES["api"])


def security_headers(profile: Profile = "api", **changes: str) -> dict[str, Any]:
    """Give the `opt` of a route whose answers carry other security headers.

    `opt=security_headers("page", x_frame_options="SAMEORIGIN")`; an empty value leaves a field out.
    What a handler sets itself stays, but for `Cache-Control` of what only one principal may see.

    Raises:
        ValueError: there is no such field among the security headers.
    """
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    unknown = sorted(changed.keys() - FIELD_NAMES)
    if unknown:
        message = f"no security headers: {', '.join(unknown)}"
        raise ValueError(message)
    return {_OPTION: HeaderSet({**PROFILES[profile], **changed})}


class HeaderOverride(msgspec.Struct, frozen=True, kw_only=True):
    """Other headers by path: of a profile, then field by field, an empty value leaving it out.

    They win over what the route declares and over what the handler sets.
    """

    paths: tuple[str, ...]
    profile: Profile | None = None
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)


class SecurityHeaders:
    """Completes answers. The first override that covers a path counts; `hsts` is for https only."""

    def __init__(self, hsts: str, overrides: Sequence[HeaderOverride] = ()) -> None:
        self._hsts = hsts
        self._overrides = overrides
        self._plan = lru_cache(_MOST_PATHS)(self._make_plan)

    def complete(
        self,
        own: Iterable[tuple[bytes, bytes]],
        opt: Mapping[str, Any],
        path: str,
        *,
        is_https: bool,
        is_authenticated: bool,
    ) -> Fields:
        """Give the fields of an answer: its `own`, and those that its route's `opt` asks for."""
        plan = self._plan(opt.get(_OPTION, _DEFAULT), path if self._overrides else "")
        names = {name for name, _ in own}
        dropped = plan.dropped_if_authenticated if is_authenticated else plan.dropped
        if not names.isdisjoint(dropped):
            own = [field for field in own if field[0] not in dropped]
            names -= dropped
        added = plan.over_https if is_https else plan.over_http
        if names.isdisjoint(plan.names):
            return [*own, *added]
        return [*own, *[field for field in added if field[0] not in names]]

    def _make_plan(self, declared: HeaderSet, path: str) -> "_Plan":
        fields = {HSTS: self._hsts, **declared.fields}
        override = next((one for one in self._overrides if matches_any(path, one.paths)), None)
        if override is None:
            return _Plan(fields, frozenset())
        forced = {name.lower(): value for name, value in override.fields.items()}
        if override.profile is not None:
            forced = {**PROFILES[override.profile], **forced}
        return _Plan({**fields, **forced}, forced.keys())


class _Plan:
    """The security headers of one route or path, made ready."""

    __slots__ = ("dropped", "dropped_if_authenticated", "names", "over_http", "over_https")

    def __init__(self, fields: Mapping[str, str], forced: Iterable[str]) -> None:
        encoded = {name.encode("ascii"): value.encode("ascii") for name, value in fields.items()}
        self.over_https = [(name, value) for name, value in encoded.items() if value]
        self.over_https.append(SERVER)
        self.over_http = [field for field in self.over_https if field[0] != HSTS.encode("ascii")]
        self.names = frozenset(name for name, _ in self.over_https)
        self.dropped = _DISCLOSING | {name.encode("ascii") for name in forced}
        # What is for one principal is not kept for others, whatever the handler says.
        self.dropped_if_authenticated = self.dropped | {_CACHE_CONTROL.encode("ascii")}
