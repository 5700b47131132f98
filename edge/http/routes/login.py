"""Logging in, going on and logging out, in JSON, for apps of one's own."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from edge.access.principal import Principal
from edge.access.sign_in import SignedIn, SignIn, SignInRefused
from edge.accounts.client import Client
from edge.http.bodies import EdgeRequest
from edge.http.context import origin_of
from edge.http.enforcement import PUBLIC, RefusedError
from edge.http.events import login_event, refresh_event, request_event
from edge.http.security_headers import CLEAR_SITE_DATA
from edge.http.tags import SIGNING_IN
from edge.http.token_answer import Tokens, token_answer
from edge.reasons import Reason
from edge.telemetry.events import LoggedOut, Record

_Scope = Annotated[
    str, Meta(min_length=1, max_length=1024, description="Scopes, separated by one space.")
]

_UNAVAILABLE = [Reason.STORE_UNAVAILABLE, Reason.SIGNING_UNAVAILABLE]


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /login`."""

    username: Annotated[str, Meta(min_length=1, max_length=256, examples=["admin"])]
    password: Annotated[str, Meta(min_length=1, max_length=4096, examples=["the password"])]
    scope: _Scope | None = None

    def __repr__(self) -> str:
        return "Login(********)"


class Refresh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /refresh-token`."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=1024, examples=["edge_rt_..."])]
    scope: _Scope | None = None

    def __repr__(self) -> str:
        return "Refresh(********)"


@post(
    "/login",
    opt=dict(PUBLIC),
    status_code=HTTPStatus.OK,
    tags=[SIGNING_IN],
    summary="Log in",
    description="Starts a session. Without `scope`, the token has all that your roles may hold.",
    refuses={
        400: [Reason.SCOPE_INVALID],
        401: [Reason.CREDENTIALS_INVALID, Reason.ACCOUNT_DISABLED],
        429: [Reason.RATE_LIMITED],
        503: [Reason.HASHING_OVERLOADED, *_UNAVAILABLE],
    },
)
async def login(
    request: EdgeRequest,
    data: JSONBody[Login],
    built_in_client: NamedDependency[Client],
    sign_in: NamedDependency[SignIn],
    record: NamedDependency[Record],
) -> Response[Tokens]:
    outcome = await sign_in.with_password(
        built_in_client, data.username, data.password, data.scope, origin_of(request)
    )
    record(login_event(request.scope, outcome))
    return _tokens_or_raise(outcome)


@post(
    "/refresh-token",
    opt=dict(PUBLIC),
    status_code=HTTPStatus.OK,
    tags=[SIGNING_IN],
    summary="Go on with a session",
    description="Exchanges the refresh token for a new pair. One that was used ends the session.",
    refuses={
        400: [Reason.SCOPE_INVALID],
        401: [
            Reason.REFRESH_TOKEN_INVALID,
            Reason.REFRESH_TOKEN_EXPIRED,
            Reason.REFRESH_TOKEN_REUSED,
            Reason.REFRESH_TOKEN_FROM_THE_FUTURE,
            Reason.SESSION_REVOKED,
            Reason.ACCOUNT_DISABLED,
        ],
        503: _UNAVAILABLE,
    },
)
async def refresh_token(
    request: EdgeRequest,
    data: JSONBody[Refresh],
    built_in_client: NamedDependency[Client],
    sign_in: NamedDependency[SignIn],
    record: NamedDependency[Record],
) -> Response[Tokens]:
    outcome = await sign_in.with_refresh_token(
        built_in_client, data.refresh_token, data.scope, origin_of(request)
    )
    record(refresh_event(request.scope, outcome))
    return _tokens_or_raise(outcome)


@post(
    "/logout",
    status_code=HTTPStatus.NO_CONTENT,
    response_headers=CLEAR_SITE_DATA,
    tags=[SIGNING_IN],
    summary="End the session of the access token",
    description="Its access tokens and its refresh token are good for nothing from then on.",
)
async def logout(
    request: EdgeRequest,
    principal: NamedDependency[Principal],
    sign_in: NamedDependency[SignIn],
    record: NamedDependency[Record],
) -> None:
    session = principal.session_id
    if session is not None:
        await sign_in.out(session)
    record(request_event(LoggedOut, request.scope, principal=principal.subject, session=session))


def _tokens_or_raise(outcome: SignedIn | SignInRefused) -> Response[Tokens]:
    if isinstance(outcome, SignInRefused):
        raise RefusedError(outcome.decision, is_recorded=True)
    return token_answer(outcome)
