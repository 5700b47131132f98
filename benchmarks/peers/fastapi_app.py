"""What a careful team would write with FastAPI instead of Edge, for the routes that are compared.

A bearer token that PyJWT verifies, a role, CORS, security headers, and a rate limit of each
principal in Redis by `limits`. It is tuned: dependencies are asynchronous and middleware is plain
ASGI, since threads and BaseHTTPMiddleware cost several times as much; answers are encoded by
msgspec and not validated again; what a limit has left is asked of Redis only for a refusal. Tokens
are HS256, which PyJWT verifies fastest.

    EDGE_PEER_SECRET=... EDGE_PEER_REDIS=redis://... uvicorn benchmarks.peers.fastapi_app:app
"""

import os
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil
from typing import Annotated, Any, Final

import jwt
import msgspec
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import Response
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.peers.agreed import APP, AUDIENCE, ISSUER, SECURITY_FIELDS

_SECRET: Final = os.environ["EDGE_PEER_SECRET"].encode()
_REQUIRED: Final[Any] = {"require": ["iss", "sub", "aud", "exp", "iat", "jti"]}
_LEEWAY_S: Final = 5
_INVALID: Final = 'Bearer error="invalid_token"'
_FIELDS: Final = [(name.encode(), value.encode()) for name, value in SECURITY_FIELDS.items()]
_PER_PRINCIPAL: Final = RateLimitItemPerMinute(1_000_000_000)
_FULL: Final = RateLimitItemPerDay(1)

# As many connections as requests in flight: the pool would else be what is measured.
_limiter: Final = SlidingWindowCounterRateLimiter(
    RedisStorage(
        f"async+{os.environ['EDGE_PEER_REDIS']}", implementation="redispy", max_connections=64
    )
)


class Principal(msgspec.Struct, frozen=True):
    """Who is asking."""

    subject: str
    roles: list[str]
    scopes: list[str]


class MsgspecResponse(Response):
    """An answer that msgspec encodes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401  # of Starlette
        return msgspec.json.encode(content)


class SecurityHeaders:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_FIELDS]
            await send(message)

        await self._app(scope, receive, send_with_fields)


async def principal_of(request: Request) -> Principal:
    """Verify the bearer token of a request."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise _unauthenticated()
    try:
        decoded = jwt.decode_complete(
            token,
            _SECRET,
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=_LEEWAY_S,
            options=_REQUIRED,
        )
    except jwt.InvalidTokenError:
        raise _unauthenticated(_INVALID) from None
    if decoded["header"].get("typ") != "at+jwt":
        raise _unauthenticated(_INVALID)
    claims = decoded["payload"]
    return Principal(claims["sub"], sorted(claims["roles"]), sorted(claims["scope"].split()))


async def limited(principal: Annotated[Principal, Depends(principal_of)]) -> Principal:
    """Charge the principal."""
    await _charge(_PER_PRINCIPAL, principal.subject)
    return principal


async def limited_to_one(principal: Annotated[Principal, Depends(limited)]) -> Principal:
    """Charge the policy that is full after one request."""
    await _charge(_FULL, "all")
    return principal


def with_role(
    role: str, found: Callable[..., Awaitable[Principal]] = limited
) -> Callable[..., Awaitable[Principal]]:
    """Give a dependency that lets through whoever has a role."""

    async def check(principal: Annotated[Principal, Depends(found)]) -> Principal:
        if role not in principal.roles:
            raise HTTPException(HTTPStatus.FORBIDDEN, "A role is missing.")
        return principal

    return check


app: Final = FastAPI(openapi_url=None)


@app.get("/livez")
async def live() -> Response:
    """Answer that the process does."""
    return MsgspecResponse({"status": "alive"})


@app.get("/bearer-protected")
async def bearer(principal: Annotated[Principal, Depends(limited)]) -> Response:
    """Answer anybody with a token."""
    return _welcome("an access token", principal)


@app.get("/admin-area")
async def admin_area(principal: Annotated[Principal, Depends(with_role("admin"))]) -> Response:
    """Answer admins."""
    return _welcome("the role admin", principal)


@app.get("/moderator-area")
async def moderator_area(
    principal: Annotated[Principal, Depends(with_role("moderator", limited_to_one))],
) -> Response:
    """Answer moderators, once a day."""
    return _welcome("the role moderator", principal)


@app.exception_handler(StarletteHTTPException)
async def problem(_: Request, error: StarletteHTTPException) -> Response:
    """Answer with a problem document."""
    body = {"type": "about:blank", "status": error.status_code, "title": error.detail}
    return MsgspecResponse(
        body, error.status_code, error.headers, media_type="application/problem+json"
    )


app.add_middleware(
    CORSMiddleware,
    allow_origins=[APP],
    allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allow_headers=["Authorization", "Content-Type", "X-Request-Id"],
    expose_headers=["WWW-Authenticate", "Retry-After"],
)
app.add_middleware(SecurityHeaders)


async def _charge(item: RateLimitItem, key: str) -> None:
    if await _limiter.hit(item, key):
        return
    stats = await _limiter.get_window_stats(item, key)
    after = str(max(1, ceil(stats.reset_time - time.time())))
    raise HTTPException(
        HTTPStatus.TOO_MANY_REQUESTS, "There were too many requests.", {"Retry-After": after}
    )


def _unauthenticated(challenge: str = "Bearer") -> HTTPException:
    fields = {"WWW-Authenticate": challenge}
    return HTTPException(HTTPStatus.UNAUTHORIZED, "Not authenticated.", fields)


def _welcome(let_in_by: str, principal: Principal) -> Response:
    return MsgspecResponse({"let_in_by": let_in_by, **msgspec.structs.asdict(principal)})
