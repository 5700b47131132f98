"""The FastAPI peer, with tokens that it accepts."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Final

import jwt

from benchmarks.peers.agreed import new_claims
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
        )


def _token(secret: str, *roles: str) -> str:
    return jwt.encode(new_claims(roles), secret, "HS256", {"typ": "at+jwt"})
