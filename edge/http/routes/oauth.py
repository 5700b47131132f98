"""The OAuth 2.0 token endpoint (RFC 6749), whose errors have a form of their own."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from edge.access.sign_in import SignedIn, SignIn, SignInRefused
from edge.faults import UnavailableError
from edge.http.bodies import EdgeRequest
from edge.http.context import origin_of
from edge.http.enforcement import PUBLIC
from edge.http.events import login_event, refresh_event
from edge.http.oauth import OAuthError, parse_form, refusal_of
from edge.http.token_answer import NO_STORE, token_answer
from edge.telemetry.events import Record
from edge.tokens.session import Origin

_FORM: Final = "application/x-www-form-urlencoded"
_RETRY_AFTER_S: Final = "1"

# Section 5.2: 400 unless said otherwise.
_STATUS: Final = {
    "invalid_client": HTTPStatus.UNAUTHORIZED,
    "temporarily_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}


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
    form = await _read_form(request)
    if isinstance(form, OAuthError):
        return _error(form, token_client)
    if problem := _check_client(request, form, token_client):
        return _error(problem, token_client)
    try:
        outcome = await _grant(form, sign_in, token_client, origin_of(request))
    except UnavailableError:
        return _error(OAuthError("temporarily_unavailable", "Try again"), token_client)
    if isinstance(outcome, OAuthError):
        return _error(outcome, token_client)
    event = login_event if form["grant_type"] == "password" else refresh_event
    record(event(request.scope, outcome))
    if isinstance(outcome, SignInRefused):
        return _error(refusal_of(outcome.decision.reason), token_client)
    return token_answer(outcome)


async def _read_form(request: EdgeRequest) -> dict[str, str] | OAuthError:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _FORM:
        return OAuthError("invalid_request", f"The body must be {_FORM}")
    if request.scope["query_string"]:
        return OAuthError("invalid_request", "Parameters belong into the body")
    try:
        return parse_form(await request.body())
    except RequestEntityTooLarge:
        return OAuthError("invalid_request", "The body is too large")


def _check_client(
    request: EdgeRequest, form: dict[str, str], client: TokenClient
) -> OAuthError | None:
    """Say what is wrong with the client; the built-in one has no secret to prove itself with."""
    has_secret = "authorization" in request.headers or "client_secret" in form
    if has_secret or form.get("client_id", client.client_id) != client.client_id:
        return OAuthError("invalid_client", "The client is unknown")
    return None


async def _grant(
    form: dict[str, str], sign_in: SignIn, client: TokenClient, origin: Origin
) -> SignedIn | SignInRefused | OAuthError:
    scope = form.get("scope")
    match form.get("grant_type"):
        case None:
            return _missing("grant_type")
        case "password" if client.password_grant:
            for name in ("username", "password"):
                if name not in form:
                    return _missing(name)
            return await sign_in.with_password(form["username"], form["password"], scope, origin)
        case "refresh_token":
            if "refresh_token" not in form:
                return _missing("refresh_token")
            return await sign_in.with_refresh_token(form["refresh_token"], scope, origin)
        case _:
            return OAuthError("unsupported_grant_type", "This grant type is not supported")


def _missing(name: str) -> OAuthError:
    return OAuthError("invalid_request", f"The parameter {name} is missing")


def _error(error: OAuthError, client: TokenClient) -> Response[OAuthError]:
    status = _STATUS.get(error.error, HTTPStatus.BAD_REQUEST)
    headers = dict(NO_STORE)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = f'Basic realm="{client.realm}", charset="UTF-8"'
    elif status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_AFTER_S
    return Response(error, status_code=status, headers=headers)
