"""Problem documents (RFC 9457) and challenges: one table from reason to answer. Pure."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import msgspec

from edge.access.principal import Method
from edge.reasons import Reason

MEDIA_TYPE: Final = "application/problem+json"

# What people read. The status is decided by the kind of refusal, except for those listed here.
_TITLES: Final[dict[Reason, str]] = {
    Reason.AUTHORIZATION_MALFORMED: "The Authorization field is malformed",
    Reason.AUTHORIZATION_REPEATED: "There is more than one Authorization field",
    Reason.SCHEME_UNSUPPORTED: "The authentication scheme is not supported",
    Reason.REQUEST_INVALID: "The request is not valid",
    Reason.HOST_INVALID: "The Host field is missing or not valid",
    Reason.PATH_AMBIGUOUS: "The path can be read in more than one way",
    Reason.FIELD_REPEATED: "A header field that may be there once is repeated",
    Reason.TOO_MANY_FIELDS: "There are too many header fields",
    Reason.URL_TOO_LONG: "The path and the query are too long",
    Reason.BODY_MISSING: "The request needs a body",
    Reason.BODY_TOO_LARGE: "The request body is too large",
    Reason.BODY_TIMEOUT: "The request body did not come in time",
    Reason.BODY_INCOMPLETE: "The request body ended early",
    Reason.CONTENT_TYPE_UNSUPPORTED: "The content type is not supported here",
    Reason.CONTENT_ENCODING_UNSUPPORTED: "The body may not be compressed or otherwise encoded",
    Reason.JSON_INVALID: "The body is not valid JSON",
    Reason.JSON_TOO_DEEP: "The body is nested too deep",
    Reason.FORM_TOO_LARGE: "The form has too many fields",
    Reason.VALIDATION_FAILED: "The request does not have the form expected",
    Reason.MARKUP_REFUSED: "There is markup where there may be none",
    Reason.SCOPE_INVALID: "The scope is unknown, malformed or beyond what is allowed",
    Reason.FORWARD_INCOMPLETE: "The load balancer does not say which request it asks about",
    Reason.IDENTITY_FIELD_SENT: "A client may not send fields that say who it is",
    Reason.NOT_FOUND: "There is nothing here",
    Reason.METHOD_NOT_ALLOWED: "The method is not allowed here",
    Reason.PRECONDITION_FAILED: "It is not in the state that the request asks for",
    Reason.RANGE_NOT_SATISFIABLE: "The range lies beyond the end",
    Reason.CREDENTIALS_MISSING: "Credentials are needed",
    Reason.CREDENTIALS_INVALID: "The username or the password is wrong",
    Reason.ACCOUNT_DISABLED: "The account is disabled",
    Reason.TOKEN_MALFORMED: "The access token is malformed",
    Reason.TOKEN_EXPIRED: "The access token has expired",
    Reason.TOKEN_NOT_YET_VALID: "The access token is not valid yet",
    Reason.TOKEN_REVOKED: "The access token was revoked",
    Reason.TYPE_MISMATCH: "The token is not an access token",
    Reason.KEY_UNKNOWN: "The access token was signed with an unknown key",
    Reason.ALGORITHM_MISMATCH: "The access token names another algorithm than its key has",
    Reason.SIGNATURE_INVALID: "The signature of the access token is wrong",
    Reason.ISSUER_UNKNOWN: "The access token is from an unknown issuer",
    Reason.AUDIENCE_MISMATCH: "The access token is for another audience",
    Reason.REFRESH_TOKEN_INVALID: "The refresh token is not valid",
    Reason.REFRESH_TOKEN_EXPIRED: "The session has expired",
    Reason.REFRESH_TOKEN_REUSED: "The refresh token was used before; the session was ended",
    Reason.REFRESH_TOKEN_FROM_THE_FUTURE: "The refresh token is not valid",
    Reason.SESSION_REVOKED: "The session was ended",
    Reason.USER_NEEDED: "This is for users of this Edge, not for clients or strangers",
    Reason.RATE_LIMITED: "There were too many requests",
    Reason.PASSWORD_WRONG: "The old password is wrong",
    Reason.ROLE_MISSING: "A role is missing",
    Reason.INSUFFICIENT_SCOPE: "A scope is missing",
    Reason.ORIGIN_REFUSED: "Pages of this origin may not do this",
    Reason.RULE_MISSING: "No access rule is about this request",
    Reason.PEER_UNTRUSTED: "Only trusted load balancers may ask this",
    Reason.IDENTITY_TOO_LARGE: "There are too many roles or scopes to be told in header fields",
    Reason.USERNAME_INVALID: "The username may not be one",
    Reason.USERNAME_TAKEN: "Another user has this name",
    Reason.EMAIL_INVALID: "This is no email address",
    Reason.FULL_NAME_INVALID: "This may not be a name",
    Reason.ROLE_INVALID: "This may not be a role",
    Reason.PASSWORD_TOO_SHORT: "The password is too short",
    Reason.PASSWORD_TOO_LONG: "The password is too long",
    Reason.PASSWORD_COMMON: "The password is among the first that anybody tries",
    Reason.PASSWORD_GUESSABLE: "The password is easy to guess",
    Reason.PASSWORD_CONTEXTUAL: "The password is made of what is known of the account",
    Reason.PASSWORD_NOT_TEXT: "The password is not valid text",
    Reason.STORE_UNAVAILABLE: "A store is not reachable",
    Reason.SIGNING_UNAVAILABLE: "The signing keys could not be read for too long",
    Reason.REVOCATIONS_UNAVAILABLE: "Revocations could not be read for too long",
    Reason.ISSUER_UNAVAILABLE: "Whether the token's issuer has its key cannot be known now",
    Reason.LIMITS_UNAVAILABLE: "Rate limits could not be decided",
    Reason.HASHING_OVERLOADED: "Too many logins at once",
    Reason.FILES_UNAVAILABLE: "The file cannot be read now",
    Reason.INTERNAL_ERROR: "Something went wrong here",
}

# The reasons that are about a bearer token the client sent (RFC 6750 section 3.1).
ABOUT_A_TOKEN: Final = frozenset(
    {
        Reason.TOKEN_MALFORMED,
        Reason.TOKEN_EXPIRED,
        Reason.TOKEN_NOT_YET_VALID,
        Reason.TOKEN_REVOKED,
        Reason.TYPE_MISMATCH,
        Reason.KEY_UNKNOWN,
        Reason.ALGORITHM_MISMATCH,
        Reason.SIGNATURE_INVALID,
        Reason.ISSUER_UNKNOWN,
        Reason.AUDIENCE_MISMATCH,
    }
)


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one place of a body; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document. `code` is the reason; `instance` names the request in the logs.

    `policy` is the rate policy that refused, `retry_after` the seconds until it would not.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: Sequence[FieldError] = ()
    policy: str = ""
    retry_after: int | None = None


def title(reason: Reason) -> str:
    """Say to people what a reason means."""
    return _TITLES[reason]


def problem(
    reason: Reason,
    status: int,
    *,
    request_id: str,
    detail: str | None = None,
    errors: Sequence[FieldError] = (),
    policy: str = "",
    retry_after_s: int | None = None,
) -> Problem:
    """Make the document for a reason; `detail` helps the client beyond the title."""
    title = _TITLES.get(reason, HTTPStatus(status).phrase)
    return Problem(
        type=f"urn:edge:problem:{reason}",
        title=title,
        status=status,
        detail=detail or f"{title}.",
        instance=f"urn:edge:request:{request_id}",
        code=reason.value,
        errors=errors,
        policy=policy,
        retry_after=retry_after_s,
    )


def challenges(realm: str, accepted: frozenset[Method], reason: Reason) -> list[str]:
    """Give the `WWW-Authenticate` values of a 401, one for each method the route accepts."""
    values = []
    if "bearer" in accepted:
        error = ', error="invalid_token"' if reason in ABOUT_A_TOKEN else ""
        values.append(f'Bearer realm="{realm}"{error}')
    if "basic" in accepted:
        values.append(f'Basic realm="{realm}", charset="UTF-8"')
    return values


def scope_challenge(realm: str, scopes: Sequence[str]) -> str:
    """Give the `WWW-Authenticate` value of a 403 for want of scopes (RFC 6750 section 3.1)."""
    return f'Bearer realm="{realm}", error="insufficient_scope", scope="{" ".join(scopes)}"'
