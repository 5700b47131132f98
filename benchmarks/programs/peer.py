"""The FastAPI peer, with tokens that it accepts."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final

import jwt

from benchmarks.peers.agreed import new_claims, spoilt_claims
from benchmarks.programs.hosts import on_granian, on_uvicorn
from benchmarks.programs.program import HOST, Running
from benchmarks.programs.served import Served

TUNED: Final = "benchmarks.peers.fastapi_app:app"
TEXTBOOK: Final = "benchmarks.peers.fastapi_textbook:app"
_PROBE: Final = "/livez"


@contextmanager
def fastapi_on_uvicorn(app: str, redis_port: int) -> Iterator[Served]:
    with _served(partial(on_uvicorn, app, probe=_PROBE), redis_port) as found:
        yield found


@contextmanager
def fastapi_on_granian(app: str, redis_port: int) -> Iterator[Served]:
    with _served(partial(on_granian, app, probe=_PROBE), redis_port) as found:
        yield found


@contextmanager
def _served(
    start: Callable[..., AbstractContextManager[Running]], redis_port: int
) -> Iterator[Served]:
    secret = secrets.token_hex(32)
    # A database of its own: Edge has the first one.
    redis = f"redis://{HOST}:{redis_port}/1"
    with start(environment={"EDGE_PEER_SECRET": secret, "EDGE_PEER_REDIS": redis}) as found:
        yield Served(
            found,
            [_token(secret, "admin", "moderator") for _ in range(64)],
            [_token(secret, "user") for _ in range(64)],
            _bad_tokens(secret),
        )


def _token(secret: str, *roles: str, typ: str = "at+jwt", **changed: Any) -> str:  # noqa: ANN401  # claims
    return jwt.encode({**new_claims(roles), **changed}, secret, "HS256", {"typ": typ})


def _bad_tokens(secret: str) -> dict[str, str]:
    spoilt = spoilt_claims(int(time.time()))
    found = {name: _token(secret, "admin", **changed) for name, changed in spoilt.items()}
    return {**found, "of another type": _token(secret, "admin", typ="JWT")}
