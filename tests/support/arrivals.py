"""Requests as servers hand them over, and how they arrived."""

from collections.abc import Iterable
from typing import Any, cast

from edge.http.arrival import Arrival, TrustedProxies

PROXY = "10.0.0.1"
NETWORKS = ("10.0.0.0/8", "192.168.1.7/32", "fd00::/8")
X_FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
FORWARDED = ("forwarded",)


def arrival(
    peer: str,
    fields: Iterable[tuple[str, bytes]] = (),
    *,
    trusted: Iterable[str] = NETWORKS,
    believed: Iterable[str] = X_FORWARDED,
    **scope: object,
) -> Arrival:
    """Give how a request with these header fields arrived from this peer."""
    headers = [(name.encode("ascii"), value) for name, value in fields]
    whole = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 4711),
        "headers": headers,
        **scope,
    }
    return TrustedProxies(trusted, believed).arrival_of(cast("Any", whole), dict(headers))
