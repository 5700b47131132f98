"""Logging in, refreshing, logging out: `/token` after RFC 6749, and plain JSON for own apps."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import JSONBody
from msgspec import Meta

from edge.access.principal import Principal
from edge.access.sign_in import SignedIn, SignIn, SignInRefused
from edge.faults import UnavailableError
from edge.http.bodies import EdgeRequest
from edge.http.context import context_of
from edge.http.enforcement import PUBLIC, RefusedError
from edge.http.oauth import OAuthError, parse_form, refusal_of
from edge.reasons import Reason
from edge.telemetry.events import (
    LoggedOut,
    LoginFailed,
    LoginSucceeded,
    Record,
    RefreshFailed,
    SecurityEvent,
    TokenFromTheFuture,
    TokenRefreshed,
    TokenReuseDetected,
)

# RFC 6749 section 5.1; Pragma is for HTTP/1.0 caches and asked for there.
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_FORM: Final = "application/x-www-form-urlencoded"

_REFRESH_EVENTS: Final[dict[Reason, type[SecurityEvent]]] = {
    Reason.REFRESH_TOKEN_REUSED: TokenReuseDetected,
    Reason.REFRESH_TOKEN_FROM_THE_FUTURE: TokenFromTheFuture,
}

_Username = Annotated[str, Meta(min_length=1, max_length=256)]
_Password = Annotated[str, Meta(min_length=1, max_length=4096)]
_Scope = Annotated[str, Meta(min_length=1, max_length=1024)]
_Token = Annotated[str, Meta(min_length=1, max_length=1024)]


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /login`."""

    username: _Username
    password: _Password
    scope: _Scope | None = None

    def __repr__(self) -> str:
        return "Login(********)"


class Refresh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /refresh-token`."""

    refresh_token: _Token
    scope: _Scope | None = None

    def __repr__(self) -> str:
        return "Refresh(********)"


class Tokens(msgspec.Struct, frozen=True):
    """A successful answer (RFC 6749 section 5.1)."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenClient(msgspec.Struct, frozen=True):
    """What `/token` has to know of clients: the built-in one, and whether it may use passwords."""

    client_id: str
    password_grant: bool
    realm: str


@dataclass
class TokenOperation(Operation):
    """Describes the form, which the handler reads itself to tell repeated parameters."""

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING)
        names = ("username", "password", "refresh_token", "scope", "client_id")
        grant = Schema(type=OpenAPIType.STRING, enum=["password", "refresh_token"])
        form = Schema(
            type=OpenAPIType.OBJECT,
            properties={"grant_type": grant, **dict.fromkeys(names, text)},
            required=["grant_type"],
        )
        self.request_body = RequestBody(content={_FORM: OpenAPIMediaType(form)}, required=True)


@post(
    "/token",
    opt=dict(PUBLIC),
    status_code=HTTPStatus.OK,
    operation_class=TokenOperation,
    summary="The OAuth 2.0 token endpoint (RFC 6749)",
)
async def token(
    request: EdgeRequest,
    sign_in: NamedDependency[SignIn],
    token_client: NamedDependency[TokenClient],
    record: NamedDependency[Record],
) -> Response[Any]:
    form = await _read_form(request, token_client)
    if isinstance(form, Response):
        return form
    try:
        outcome = await _grant(form, sign_in, token_client)
    except UnavailableError as error:
        busy = OAuthError("temporarily_unavailable", "Try again in a moment")
        answer = _oauth_error(busy, HTTPStatus.SERVICE_UNAVAILABLE)
        answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer
    if isinstance(outcome, OAuthError):
        return _oauth_error(outcome)
    _record_outcome(record, request, outcome, is_refresh="refresh_token" in form)
    if isinstance(outcome, SignInRefused):
        return _oauth_error(refusal_of(outcome.decision.reason))
    return _tokens(outcome)


@post("/login", opt=dict(PUBLIC), status_code=HTTPStatus.OK, summary="Log in")
async def login(
    request: EdgeRequest,
    data: JSONBody[Login],
    sign_in: NamedDependency[SignIn],
    record: NamedDependency[Record],
) -> Response[Tokens]:
    outcome = await sign_in.with_password(data.username, data.password, data.scope)
    _record_outcome(record, request, outcome, is_refresh=False)
    return _tokens_or_raise(outcome)


@post("/refresh-token", opt=dict(PUBLIC), status_code=HTTPStatus.OK, summary="Go on with a session")
async def refresh_token(
    request: EdgeRequest,
    data: JSONBody[Refresh],
    sign_in: NamedDependency[SignIn],
    record: NamedDependency[Record],
) -> Response[Tokens]:
    outcome = await sign_in.with_refresh_token(data.refresh_token, data.scope)
    _record_outcome(record, request, outcome, is_refresh=True)
    return _tokens_or_raise(outcome)


@post("/logout", status_code=HTTPStatus.NO_CONTENT, summary="End the session of the access token")
async def logout(
    request: EdgeRequest,
    principal: NamedDependency[Principal],
    sign_in: NamedDependency[SignIn],
    record: NamedDependency[Record],
) -> None:
    if principal.session_id is not None:
        await sign_in.out(principal.session_id)
    record(_event(LoggedOut, request, principal=principal.user_id, session=principal.session_id))


async def _read_form(
    request: EdgeRequest, client: TokenClient
) -> dict[str, str] | Response[OAuthError]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _FORM:
        return _oauth_error(OAuthError("invalid_request", f"The body must be {_FORM}"))
    if request.scope["query_string"]:
        return _oauth_error(OAuthError("invalid_request", "Parameters belong into the body"))
    try:
        form = parse_form(await request.body())
    except RequestEntityTooLarge:
        too_large = OAuthError("invalid_request", "The body is too large")
        return _oauth_error(too_large, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if isinstance(form, OAuthError):
        return _oauth_error(form)
    if "authorization" in request.headers:
        # Clients with a secret do not exist yet, so no client credentials can be right.
        answer = _oauth_error(
            OAuthError("invalid_client", "The client is unknown"), HTTPStatus.UNAUTHORIZED
        )
        answer.headers["WWW-Authenticate"] = f'Basic realm="{client.realm}", charset="UTF-8"'
        return answer
    if form.get("client_id", client.client_id) != client.client_id or "client_secret" in form:
        return _oauth_error(
            OAuthError("invalid_client", "The client is unknown"), HTTPStatus.UNAUTHORIZED
        )
    return form


async def _grant(
    form: dict[str, str], sign_in: SignIn, client: TokenClient
) -> SignedIn | SignInRefused | OAuthError:
    scope = form.get("scope")
    match form.get("grant_type"):
        case None:
            return _missing("grant_type")
        case "password" if client.password_grant:
            for name in ("username", "password"):
                if name not in form:
                    return _missing(name)
            return await sign_in.with_password(form["username"], form["password"], scope)
        case "refresh_token":
            if "refresh_token" not in form:
                return _missing("refresh_token")
            return await sign_in.with_refresh_token(form["refresh_token"], scope)
        case _:
            return OAuthError("unsupported_grant_type", "This grant type is not supported")


def _missing(name: str) -> OAuthError:
    return OAuthError("invalid_request", f"The parameter {name} is missing")


def _tokens_or_raise(outcome: SignedIn | SignInRefused) -> Response[Tokens]:
    if isinstance(outcome, SignInRefused):
        raise RefusedError(outcome.decision, is_recorded=True)
    return _tokens(outcome)


def _tokens(signed_in: SignedIn) -> Response[Tokens]:
    body = Tokens(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        token_type="Bearer",  # noqa: S106  # a type, not a token
        expires_in=signed_in.expires_in_s,
        scope=" ".join(signed_in.scopes),
    )
    return Response(body, headers=dict(_NO_STORE))


def _oauth_error(
    error: OAuthError, status: HTTPStatus = HTTPStatus.BAD_REQUEST
) -> Response[OAuthError]:
    return Response(error, status_code=status, headers=dict(_NO_STORE))


def _record_outcome(
    record: Record, request: EdgeRequest, outcome: SignedIn | SignInRefused, *, is_refresh: bool
) -> None:
    kind: type[SecurityEvent]
    if isinstance(outcome, SignedIn):
        kind, reason = TokenRefreshed if is_refresh else LoginSucceeded, None
    else:
        reason = outcome.decision.reason
        kind = _REFRESH_EVENTS.get(reason, RefreshFailed) if is_refresh else LoginFailed
    record(
        _event(kind, request, principal=outcome.user_id, session=outcome.session_id, reason=reason)
    )


def _event(
    kind: type[SecurityEvent],
    request: EdgeRequest,
    *,
    principal: object | None,
    session: object | None,
    reason: Reason | None = None,
) -> SecurityEvent:
    context = context_of(request.scope)
    return kind(
        client_address=context.client_address,
        request_id=context.request_id,
        principal=str(principal) if principal else None,
        session=str(session) if session else None,
        reason=reason.value if reason else None,
    )
