"""The same as `fastapi_app`, as tutorials write it: it answers alike, and much slower.

Dependencies are plain functions, which FastAPI runs in threads; headers are added by a middleware
made with `@app.middleware`; `limits` asks Redis and waits; answers are validated and encoded by
FastAPI.
"""

import os
import time
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Annotated, Any, Final

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware

from benchmarks.peers.agreed import APP, AUDIENCE, ISSUER, SECURITY_FIELDS

_SECRET: Final = os.environ["EDGE_PEER_SECRET"]
_REQUIRED: Final[Any] = {"require": ["iss", "sub", "aud", "exp", "iat", "jti"]}
_PER_PRINCIPAL: Final = RateLimitItemPerMinute(1_000_000_000)
_FULL: Final = RateLimitItemPerDay(1)

_limiter: Final = SlidingWindowCounterRateLimiter(RedisStorage(os.environ["EDGE_PEER_REDIS"]))
_bearer: Final = HTTPBearer(auto_error=False)


class Principal(BaseModel):
    """Who is asking."""

    subject: str
    roles: list[str]
    scopes: list[str]


class Welcome(Principal):
    """What let the request in, and whose it is."""

    let_in_by: str


app: Final = FastAPI(openapi_url=None)


@app.middleware("http")
async def add_security_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Add the security headers to every answer."""
    response = await call_next(request)
    response.headers.update(SECURITY_FIELDS)
    return response


def principal_of(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Verify the bearer token of a request."""
    if credentials is None:
        raise HTTPException(401, "Not authenticated.", {"WWW-Authenticate": "Bearer"})
    try:
        decoded = jwt.decode_complete(
            credentials.credentials,
            _SECRET,
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=5,
            options=_REQUIRED,
        )
    except jwt.InvalidTokenError:
        decoded = None
    if decoded is None or decoded["header"].get("typ") != "at+jwt":
        fields = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise HTTPException(401, "Not authenticated.", fields)
    claims = decoded["payload"]
    scopes, roles = sorted(claims["scope"].split()), sorted(claims["roles"])
    return Principal(subject=claims["sub"], roles=roles, scopes=scopes)


def limited(principal: Annotated[Principal, Depends(principal_of)]) -> Principal:
    """Charge the principal."""
    _charge(_PER_PRINCIPAL, principal.subject)
    return principal


def limited_to_one(principal: Annotated[Principal, Depends(limited)]) -> Principal:
    """Charge the policy that is full after one request."""
    _charge(_FULL, "all")
    return principal


@app.get("/livez")
def live() -> dict[str, str]:
    """Answer that the process does."""
    return {"status": "alive"}


@app.get("/bearer-protected")
def bearer(principal: Annotated[Principal, Depends(limited)]) -> Welcome:
    """Answer anybody with a token."""
    return Welcome(let_in_by="an access token", **principal.model_dump())


@app.get("/admin-area")
def admin_area(principal: Annotated[Principal, Depends(limited)]) -> Welcome:
    """Answer admins."""
    return _welcome("admin", principal)


@app.get("/moderator-area")
def moderator_area(principal: Annotated[Principal, Depends(limited_to_one)]) -> Welcome:
    """Answer moderators, once a day."""
    return _welcome("moderator", principal)


app.add_middleware(
    CORSMiddleware,
    allow_origins=[APP],
    allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allow_headers=["Authorization", "Content-Type", "X-Request-Id"],
    expose_headers=["WWW-Authenticate", "Retry-After"],
)


def _welcome(role: str, principal: Principal) -> Welcome:
    if role not in principal.roles:
        raise HTTPException(403, "A role is missing.")
    return Welcome(let_in_by=f"the role {role}", **principal.model_dump())


def _charge(item: RateLimitItem, key: str) -> None:
    if _limiter.hit(item, key):
        return
    reset_s = _limiter.get_window_stats(item, key).reset_time - time.time()
    raise HTTPException(
        429, "There were too many requests.", {"Retry-After": str(max(1, ceil(reset_s)))}
    )
