"""Whole servers, asked over HTTP: Edge, what is used instead, and the least that there can be."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from functools import partial
from typing import Final

from benchmarks.case import Batch, Case, Kind
from benchmarks.peers.agreed import APP
from benchmarks.programs.edge import running_edge
from benchmarks.programs.h2load import Asked, H2load
from benchmarks.programs.hosts import on_granian
from benchmarks.programs.peer import fastapi_on_granian, fastapi_on_uvicorn
from benchmarks.programs.program import Running
from benchmarks.programs.redis import running_redis
from benchmarks.programs.served import Served
from benchmarks.programs.shared import Shared

Ask = Callable[[Served], Sequence[Asked]]
Opening = Callable[[], AbstractAsyncContextManager[Batch]]

# What a load balancer adds, and a page of the app sends.
_FROM_PROXY: Final = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
_FROM_PAGE: Final = {**_FROM_PROXY, "Origin": APP}
_ASKED_ABOUT: Final = {
    **_FROM_PROXY,
    "X-Original-Method": "GET",
    "X-Original-URL": "https://shop.example.com/orders/7",
}


@contextmanager
def _with_redis(start: Callable[[int], AbstractContextManager[Served]]) -> Iterator[Served]:
    with running_redis() as port, start(port) as served:
        yield served


@contextmanager
def _alone(start: Callable[[], AbstractContextManager[Running]]) -> Iterator[Served]:
    with start() as running:
        yield Served(running)


def _hello(name: str, interface: str = "asgi") -> Shared[Served]:
    start = partial(on_granian, f"benchmarks.floors.hello:{name}", interface=interface)
    return Shared(lambda: _alone(start))


_EDGE: Final = Shared(lambda: _with_redis(running_edge))
_UVICORN: Final = Shared(lambda: _with_redis(fastapi_on_uvicorn))
_GRANIAN: Final = Shared(lambda: _with_redis(fastapi_on_granian))


def _by_admins(path: str, fields: Mapping[str, str], status: int = 200) -> Ask:
    return lambda served: [
        Asked(f"{served.running.url}{path}", _bearing(token, fields), status)
        for token in served.admin_tokens
    ]


def _by_anybody(path: str, status: int = 200, fields: Mapping[str, str] = _FROM_PROXY) -> Ask:
    return lambda served: [Asked(f"{served.running.url}{path}", fields, status)]


def _bearing(token: str, fields: Mapping[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **fields}


def _asking(server: Shared[Served], ask: Ask) -> Opening:
    """Give what asks a server in bursts, each with another token."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Batch]:
        generator = H2load()
        with server.use() as served:
            turns = itertools.cycle(ask(served))

            async def batch(n: int) -> int:
                return await generator.burst(next(turns), n)

            yield batch

    return opened


def _case(name: str, server: Shared[Served], ask: Ask, *of: str, gated: bool = False) -> Case:
    return Case(id=name, open=_asking(server, ask), kind=Kind.SERVER, of=of, gated=gated)


_PEERS: Final = ("peer/fastapi-uvicorn/admin-area", "peer/fastapi-granian/admin-area")

CASES: Final[Sequence[Case]] = [
    _case(
        "server/forward-auth",
        _EDGE,
        _by_admins("/forward/nginx", _ASKED_ABOUT),
        "floor/asgi",
        "floor/rsgi",
        gated=True,
    ),
    _case(
        "server/admin-area",
        _EDGE,
        _by_admins("/admin-area", _FROM_PAGE),
        "floor/litestar",
        *_PEERS,
        gated=True,
    ),
    _case("floor/asgi", _hello("asgi"), _by_anybody("/")),
    _case("floor/rsgi", _hello("rsgi", "rsgi"), _by_anybody("/")),
    _case("floor/litestar", _hello("litestar"), _by_anybody("/")),
    _case(_PEERS[0], _UVICORN, _by_admins("/admin-area", _FROM_PAGE)),
    _case(_PEERS[1], _GRANIAN, _by_admins("/admin-area", _FROM_PAGE)),
]


if __name__ == "__main__":
    from benchmarks.turns import main

    main(CASES)
