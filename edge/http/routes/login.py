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
from edge.http.token_answer import Tokens, token_answer
from edge.telemetry.events import LoggedOut, Record

_Scope = Annotated[str, Meta(min_length=1, max_length=1024)]


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /login`."""

    username: Annotated[str, Meta(min_length=1, max_length=256)]
    password: Annotated[str, Meta(min_length=1, max_length=4096)]
    scope: _Scope | None = None

    def __repr__(self) -> str:
        return "Login(********)"


class Refresh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /refresh-token`."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=1024)]
    scope: _Scope | None = None

    def __repr__(self) -> str:
        return "Refresh(********)"


@post("/login", opt=dict(PUBLIC), status_code=HTTPStatus.OK, summary="Log in")
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


@post("/refresh-token", opt=dict(PUBLIC), status_code=HTTPStatus.OK, summary="Go on with a session")
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
    summary="End the session of the access token",
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
