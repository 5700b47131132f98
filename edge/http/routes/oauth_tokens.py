"""For clients that hold tokens: ending them (RFC 7009) and asking about them (RFC 7662)."""

from http import HTTPStatus

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.response import Response

from edge.access.client_tokens import ClientTokens, Ended, TokenFacts
from edge.access.service_accounts import service_account
from edge.http.bodies import EdgeRequest
from edge.http.client_authentication import ClientAuthentication
from edge.http.enforcement import PUBLIC
from edge.http.events import request_event
from edge.http.form_operation import form_operation
from edge.http.oauth import OAuthRefusedError, parameter, read_form, refusal_of
from edge.http.tags import OAUTH
from edge.http.token_answer import NO_STORE
from edge.reasons import Reason
from edge.telemetry.events import Record, TokenRevoked

# What kind of token it is, its form says: the hint is not needed, and a wrong one does no harm.
_TOKEN_FORM = form_operation("token", optional=("token_type_hint", "client_id", "client_secret"))


class Introspection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The members of RFC 7662 section 2.2; of a token that is not good, `active` alone."""

    active: bool
    scope: str = ""
    client_id: str = ""
    token_type: str | None = None
    exp: int | None = None
    iat: int | None = None
    sub: str = ""
    aud: str | None = None
    iss: str = ""
    jti: str | None = None


_INACTIVE = Introspection(active=False)


@post(
    "/oauth/revoke",
    opt=dict(PUBLIC),
    status_code=HTTPStatus.OK,
    operation_class=_TOKEN_FORM,
    tags=[OAUTH],
    summary="End a token (RFC 7009)",
    description="With the refresh token, the whole session ends. Unknown tokens are no error.",
    refuses={400: ["invalid_grant"]},
)
async def revoke(
    request: EdgeRequest,
    client_authentication: NamedDependency[ClientAuthentication],
    client_tokens: NamedDependency[ClientTokens],
    record: NamedDependency[Record],
) -> Response[dict[str, str]]:
    form = await read_form(request)
    client = await client_authentication.identify(request, form)
    outcome = await client_tokens.revoke(client, parameter(form, "token"))
    if isinstance(outcome, Reason):
        raise OAuthRefusedError(refusal_of(outcome))
    if isinstance(outcome, Ended):
        event = request_event(
            TokenRevoked,
            request.scope,
            principal=outcome.subject,
            session=outcome.session_id,
            by=service_account(client),
        )
        record(event)
    return Response({}, headers=dict(NO_STORE))


@post(
    "/oauth/introspect",
    opt=dict(PUBLIC),
    status_code=HTTPStatus.OK,
    operation_class=_TOKEN_FORM,
    tags=[OAUTH],
    summary="Is a token good, and what for (RFC 7662)",
    description="For clients with a secret, which stands in `client_secret` or in HTTP Basic.",
)
async def introspect(
    request: EdgeRequest,
    client_authentication: NamedDependency[ClientAuthentication],
    client_tokens: NamedDependency[ClientTokens],
) -> Response[Introspection]:
    form = await read_form(request)
    client = await client_authentication.identify_confidential(request, form)
    facts = await client_tokens.introspect(client, parameter(form, "token"))
    return Response(_introspection(facts) if facts else _INACTIVE, headers=dict(NO_STORE))


def _introspection(facts: TokenFacts) -> Introspection:
    return Introspection(
        active=True,
        scope=" ".join(sorted(facts.scopes)),
        client_id=facts.client_id,
        token_type=facts.token_type,
        exp=facts.expires_at_s,
        iat=facts.issued_at_s,
        sub=facts.subject,
        aud=facts.audience,
        iss=facts.issuer,
        jti=facts.token_id,
    )
