"""The wire format of the OAuth endpoints: forms come in, errors go out (RFC 6749)."""

import re
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import parse_qsl

import msgspec
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from edge.http.bodies import FORM, BodyError, EdgeRequest
from edge.http.problems import title
from edge.reasons import Reason

OAuthErrorCode = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "temporarily_unavailable",
    "server_error",
]

# The parameters that RFC 6749 (and 7009, 7662) define; others are ignored (section 3.2).
_DEFINED: Final = frozenset(
    {
        "assertion",
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "grant_type",
        "password",
        "redirect_uri",
        "refresh_token",
        "scope",
        "token",
        "token_type_hint",
        "username",
    }
)
# The most characters of a parameter: of the JSON routes, where they have it too, and enough for a
# token of another issuer.
LONGEST: Final = {
    "client_id": 256,
    "client_secret": 1024,
    "grant_type": 256,
    "password": 4096,
    "refresh_token": 1024,
    "scope": 1024,
    "token": 16 * 1024,
    "token_type_hint": 256,
    "username": 256,
}
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")

# error_description may hold printable ASCII without " and \ (section 5.2).
_DESCRIPTIONS: Final[dict[Reason, str]] = {
    Reason.CREDENTIALS_INVALID: "The username or the password is wrong",
    Reason.ACCOUNT_DISABLED: "The account is disabled",
    Reason.REFRESH_TOKEN_EXPIRED: "The session has expired",
    Reason.REFRESH_TOKEN_REUSED: "The refresh token was used before; the session was ended",
    Reason.SESSION_REVOKED: "The session was ended",
    Reason.SCOPE_INVALID: "The scope is unknown, malformed or beyond what is allowed",
    Reason.TOKEN_OF_ANOTHER_CLIENT: "The token was issued to another client",
}
_NO_FORM: Final = f"The body must be {FORM}, in UTF-8"
_DEFAULT_DESCRIPTION: Final = "The refresh token is not valid"


class OAuthError(msgspec.Struct, frozen=True):
    """The body of an error answer (RFC 6749 section 5.2)."""

    error: OAuthErrorCode
    error_description: str


class OAuthRefusedError(Exception):
    """Carries an error out to where it becomes an answer."""

    def __init__(self, error: OAuthError) -> None:
        self.error = error
        super().__init__(error.error)


async def read_form(request: EdgeRequest) -> dict[str, str]:
    """Read the form in the body.

    Raises:
        OAuthRefusedError: there is none, it is malformed, or something stands in the URL, where
            credentials would be logged (section 2.3.1).
    """
    if request.scope["query_string"]:
        raise OAuthRefusedError(OAuthError("invalid_request", "Parameters belong into the body"))
    try:
        form = parse_form(await request.body_as(FORM))
    except RequestEntityTooLarge:  # Litestar looks at Content-Length first
        form = OAuthError("invalid_request", title(Reason.BODY_TOO_LARGE))
    except BodyError as error:
        is_no_form = error.reason is Reason.CONTENT_TYPE_UNSUPPORTED
        form = OAuthError("invalid_request", _NO_FORM if is_no_form else title(error.reason))
    if isinstance(form, OAuthError):
        raise OAuthRefusedError(form)
    return form


def parameter(form: Mapping[str, str], name: str) -> str:
    """Give a parameter that must be there.

    Raises:
        OAuthRefusedError: it is missing.
    """
    if name not in form:
        raise OAuthRefusedError(OAuthError("invalid_request", f"The parameter {name} is missing"))
    return form[name]


def parse_form(body: bytes) -> dict[str, str] | OAuthError:
    """Decode a form; an empty value counts as absent, a repeated or long one is refused."""
    try:
        text = body.decode("ascii")
        if _BAD_ESCAPE.search(body):
            return OAuthError("invalid_request", "The body is not a form")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:  # UnicodeDecodeError is one
        return OAuthError("invalid_request", "The body is not a form in UTF-8")
    form: dict[str, str] = {}
    for name, value in pairs:
        if name in form and name in _DEFINED:
            return OAuthError("invalid_request", f"The parameter {name} is repeated")
        if len(value) > LONGEST.get(name, len(value)):
            return OAuthError("invalid_request", f"The parameter {name} is too long")
        form[name] = value
    return {name: value for name, value in form.items() if value}


def refusal_of(reason: Reason) -> OAuthError:
    """Give the error answer for what was refused for this reason."""
    code: OAuthErrorCode = "invalid_scope" if reason is Reason.SCOPE_INVALID else "invalid_grant"
    return OAuthError(code, _DESCRIPTIONS.get(reason, _DEFAULT_DESCRIPTION))
