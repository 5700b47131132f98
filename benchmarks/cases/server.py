"""Edge as it is served, asked over HTTP."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from benchmarks.case import Case
from benchmarks.programs.asking import (
    FROM_PAGE,
    FROM_PROXY,
    by_admins,
    by_anybody,
    server_cases,
    with_redis,
)
from benchmarks.programs.edge import ADMIN, PASSWORD, running_edge

EDGE: Final = with_redis(running_edge)

_ASKED_ABOUT: Final = {
    **FROM_PROXY,
    "X-Original-Method": "GET",
    "X-Original-URL": "https://shop.example.com/orders/7",
}
_BASIC: Final = f"Basic {b64encode(f'{ADMIN}:{PASSWORD}'.encode()).decode()}"
_PEERS: Final = ("fastapi-uvicorn", "fastapi-granian")


def _peers(path: str) -> list[str]:
    return [f"peer/{name}/{path}" for name in _PEERS]


CASES: Final[Sequence[Case]] = [
    *server_cases(
        "server/forward-auth",
        EDGE,
        by_admins("/forward/nginx", _ASKED_ABOUT),
        *("floor/asgi", "floor/rsgi", "floor/nginx", "floor/haproxy-jwt"),
        gated=True,
    ),
    *server_cases(
        "server/admin-area",
        EDGE,
        by_admins("/admin-area", FROM_PAGE),
        *("floor/litestar", *_peers("admin-area"), "peer/fastapi-textbook/admin-area"),
        gated=True,
    ),
    *server_cases("server/livez", EDGE, by_anybody("/livez"), "floor/litestar", *_peers("livez")),
    *server_cases("server/bearer", EDGE, by_admins("/bearer-protected"), "floor/litestar"),
    *server_cases(
        "server/basic",
        EDGE,
        by_anybody("/basic-protected", {**FROM_PROXY, "Authorization": _BASIC}),
    ),
    *server_cases(
        "server/401",
        EDGE,
        by_admins("/admin-area", FROM_PAGE, status=401, spoil="AAAAAAAA"),
        *_peers("401"),
    ),
    *server_cases(
        "server/429",
        EDGE,
        by_admins("/moderator-area", FROM_PAGE, status=429),
        *_peers("429"),
    ),
]
