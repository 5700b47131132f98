"""Requests that go straight into the app: what Edge itself adds, without a server or a store."""

import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.batches import awaiting
from benchmarks.case import Batch, Case, Kind
from benchmarks.floors import hello
from benchmarks.material.exchange import Answer, Exchange, exchange
from benchmarks.material.service import Service, running_service, settings_in
from benchmarks.peers.agreed import APP
from edge.http.rate_limits import RateLimits
from edge.ratelimit.limiter import Limiter
from edge.ratelimit.memory import MemoryWindows
from edge.surface import outermost_layer
from edge.telemetry.draining import Draining
from edge.telemetry.limits import LimitCounts
from edge.telemetry.metrics import Metrics

Requests = Callable[[Service], Sequence[Exchange]]

_ORIGINAL: Final = {
    "x-original-method": "GET",
    "x-original-url": "https://shop.example.com/orders/7",
}
_FROM_PAGE: Final = {"origin": APP}


def _by_admin(path: str, fields: Mapping[str, str]) -> Requests:
    return lambda service: [
        exchange(path, {"authorization": f"Bearer {token}", **fields}) for token in service.tokens
    ]


def _by_basic(service: Service) -> list[Exchange]:
    return [exchange("/basic-protected", {"authorization": service.basic})]


def _by_strangers(service: Service) -> list[Exchange]:
    """Ask with tokens whose signatures are wrong."""
    spoilt = [f"{token[:-8]}AAAAAAAA" for token in service.tokens]
    return [exchange("/bearer-protected", {"authorization": f"Bearer {one}"}) for one in spoilt]


def _by_nobody(path: str) -> Requests:
    return lambda _: [exchange(path)]


def _preflight(_: Service) -> list[Exchange]:
    asked = {**_FROM_PAGE, "access-control-request-method": "POST"}
    return [exchange("/admin-area", asked, method="OPTIONS")]


def _posting(_: Service) -> list[Exchange]:
    fields = {**_FROM_PAGE, "content-type": "application/json"}
    bodies = [b'{"title": "number %d", "description": "<b>bold</b>"}' % n for n in range(64)]
    return [exchange("/safe-input", fields, method="POST", body=body) for body in bodies]


@asynccontextmanager
async def _asking(requests: Requests, status: int) -> AsyncIterator[Batch]:
    async with running_service() as service:
        asked = requests(service)
        for one in asked:  # what is seen for the first time is not what is measured
            await one.run(service.app)
        yield _batch(service.app, asked, status)


@asynccontextmanager
async def _without_edge(app: Any) -> AsyncIterator[Batch]:  # noqa: ANN401  # any ASGI app
    yield _batch(app, [exchange("/")], 200)


@asynccontextmanager
async def _layer() -> AsyncIterator[Batch]:
    """Put the outermost layer around an app that says hello."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as folder:
        metrics, windows = Metrics(time.monotonic), MemoryWindows(lambda: 0)
        limiter = Limiter(windows, windows, clock=time.monotonic, watcher=LimitCounts(metrics))
        limits = RateLimits(limiter, [], legacy=False)
        settings = settings_in(Path(folder))
        layer = outermost_layer(hello.asgi, settings, limits, Draining(), metrics)
        yield _batch(layer, [exchange("/", _FROM_PAGE)], 200)


def _batch(app: Any, asked: Sequence[Exchange], status: int) -> Batch:  # noqa: ANN401
    async def ask(one: Exchange) -> Answer:
        return await one.run(app)

    return awaiting(ask, asked, lambda answer: answer.status == status)


def _case(name: str, requests: Requests, status: int = 200, *of: str, gated: bool = False) -> Case:
    quick = name in ("livez", "admin-area", "forward-auth")
    return Case(
        id=f"http/{name}", open=partial(_asking, requests, status), of=of, gated=gated, quick=quick
    )


CASES: Final[Sequence[Case]] = [
    _case("livez", _by_nobody("/livez"), 200, "floor/in-process/litestar", gated=True),
    _case("bearer", _by_admin("/bearer-protected", {}), gated=True),
    _case(
        "admin-area",
        _by_admin("/admin-area", _FROM_PAGE),
        200,
        "floor/in-process/litestar",
        gated=True,
    ),
    msgspec.structs.replace(_case("basic", _by_basic), kind=Kind.DATABASE),  # reads the account
    _case(
        "forward-auth",
        _by_admin("/forward/nginx", _ORIGINAL),
        200,
        "floor/in-process/asgi",
        gated=True,
    ),
    _case("401", _by_strangers, 401, gated=True),
    _case("429", _by_admin("/moderator-area", _FROM_PAGE), 429, gated=True),
    _case("404", _by_nobody("/nowhere"), 404, gated=True),
    _case("preflight", _preflight, 204),
    _case("post", _posting),
    Case(id="http/layer", open=_layer, gated=True, of=["floor/in-process/asgi"]),
    Case(id="floor/in-process/asgi", open=partial(_without_edge, hello.asgi)),
    Case(id="floor/in-process/litestar", open=partial(_without_edge, hello.litestar)),
]
