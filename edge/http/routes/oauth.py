"""The OAuth 2.0 token endpoint (RFC 6749), whose errors have a form of their own."""

from collections.abc import Mapping
from http import HTTPStatus

from litestar import post
from litestar.di import NamedDependency
from litestar.response import Response

from edge.access.service_accounts import ServiceAccounts, service_account
from edge.access.sign_in import Granted, SignIn, SignInRefused
from edge.accounts.client import Client
from edge.http.bodies import EdgeRequest
from edge.http.client_authentication import ClientAuthentication
from edge.http.context import origin_of
from edge.http.enforcement import PUBLIC
from edge.http.events import login_event, refresh_event, request_event
from edge.http.form_operation import form_operation
from edge.http.oauth import OAuthError, OAuthRefusedError, parameter, read_form, refusal_of
from edge.http.tags import OAUTH
from edge.http.token_answer import Tokens, token_answer
from edge.reasons import Reason
from edge.telemetry.events import Record, TokenIssued


@post(
    "/token",
    opt=dict(PUBLIC),
    status_code=HTTPStatus.OK,
    operation_class=form_operation(
        "grant_type",
        optional=("username", "password", "refresh_token", "scope", "client_id", "client_secret"),
    ),
    tags=[OAUTH],
    summary="The OAuth 2.0 token endpoint (RFC 6749)",
    description=(
        "Grants: `password`, `refresh_token`, and `client_credentials` for clients with a secret."
    ),
    refuses={
        400: ["invalid_grant", "invalid_scope", "unauthorized_client", "unsupported_grant_type"],
        429: [Reason.RATE_LIMITED],
    },
)
async def token(
    request: EdgeRequest,
    client_authentication: NamedDependency[ClientAuthentication],
    enabled_grants: NamedDependency[frozenset[str]],
    sign_in: NamedDependency[SignIn],
    service_accounts: NamedDependency[ServiceAccounts],
    record: NamedDependency[Record],
) -> Response[Tokens]:
    form = await read_form(request)
    client = await client_authentication.identify(request, form)
    match _grant_type(form, client, enabled_grants):
        case "password":
            granted = await _by_password(request, form, client, sign_in, record)
        case "refresh_token":
            granted = await _by_refresh_token(request, form, client, sign_in, record)
        case _:
            granted = _by_client(request, form, client, service_accounts, record)
    return token_answer(granted)


def _grant_type(form: Mapping[str, str], client: Client, enabled: frozenset[str]) -> str:
    wanted = parameter(form, "grant_type")
    if wanted not in enabled:
        raise OAuthRefusedError(
            OAuthError("unsupported_grant_type", "This grant type is not supported")
        )
    if wanted not in client.grants:
        raise OAuthRefusedError(
            OAuthError("unauthorized_client", "The client may not use this grant type")
        )
    return wanted


async def _by_password(
    request: EdgeRequest, form: Mapping[str, str], client: Client, sign_in: SignIn, record: Record
) -> Granted:
    username, password = parameter(form, "username"), parameter(form, "password")
    outcome = await sign_in.with_password(
        client, username, password, form.get("scope"), origin_of(request)
    )
    record(login_event(request.scope, outcome))
    return _granted(outcome)


async def _by_refresh_token(
    request: EdgeRequest, form: Mapping[str, str], client: Client, sign_in: SignIn, record: Record
) -> Granted:
    outcome = await sign_in.with_refresh_token(
        client, parameter(form, "refresh_token"), form.get("scope"), origin_of(request)
    )
    record(refresh_event(request.scope, outcome))
    return _granted(outcome)


def _by_client(
    request: EdgeRequest,
    form: Mapping[str, str],
    client: Client,
    service_accounts: ServiceAccounts,
    record: Record,
) -> Granted:
    outcome = service_accounts.sign_in(client, form.get("scope"))
    if not isinstance(outcome, Reason):
        record(request_event(TokenIssued, request.scope, principal=service_account(client)))
    return _granted(outcome)


def _granted(outcome: Granted | SignInRefused | Reason) -> Granted:
    if isinstance(outcome, Granted):
        return outcome
    reason = outcome if isinstance(outcome, Reason) else outcome.decision.reason
    raise OAuthRefusedError(refusal_of(reason))
