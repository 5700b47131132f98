"""What Edge and every peer are to do alike: who may ask, whom they trust, what answers carry."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

ISSUER: Final = "https://id.example.com"
AUDIENCE: Final = "edge"
APP: Final = "https://app.test"  # whose pages may read answers

# What OWASP's Secure Headers Project asks of an API; the default of Edge over https.
SECURITY_FIELDS: Final[Mapping[str, str]] = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "content-security-policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": (
        "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), clipboard-write=(),"
        " cross-origin-isolated=(), display-capture=(), encrypted-media=(), fullscreen=(),"
        " gamepad=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), interest-cohort=(),"
        " keyboard-map=(), magnetometer=(), microphone=(), midi=(), payment=(),"
        " picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(),"
        " sync-xhr=(), unload=(), usb=(), web-share=(), xr-spatial-tracking=()"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "x-permitted-cross-domain-policies": "none",
    "x-dns-prefetch-control": "off",
    "x-xss-protection": "0",
    "cache-control": "no-store",
}

_HOUR_S: Final = 3600
LIFETIME_S: Final = 6 * _HOUR_S  # longer than any run takes


def spoilt_claims(now_s: int) -> dict[str, dict[str, Any]]:
    """Give what makes a token bad that is signed as it should be, by name."""
    return {
        "expired": {"exp": now_s - _HOUR_S},
        "not yet valid": {"nbf": now_s + _HOUR_S, "exp": now_s + 2 * _HOUR_S},
        "for others": {"aud": "others"},
        "of others": {"iss": "https://other.example.com"},
    }


def new_claims(roles: Sequence[str]) -> dict[str, Any]:
    """Make the claims that Edge puts into a token, for one that a peer is to accept."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "sub": str(uuid4()),
        "aud": AUDIENCE,
        "exp": now + LIFETIME_S,
        "iat": now,
        "jti": str(uuid4()),
        "client_id": "first-party",
        "epoch": 0,
        "sid": str(uuid4()),
        "scope": "profile",
        "roles": list(roles),
    }
