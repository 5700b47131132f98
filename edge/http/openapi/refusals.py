"""Which errors a route can answer: what follows from its declaration, as a table. Pure."""

from collections.abc import Callable
from typing import Final

from edge.http.bodies import FORM, JSON, MESSAGEPACK, PARTS
from edge.http.openapi.declaration import Code, Declaration, Refusals
from edge.http.problems import ABOUT_A_TOKEN
from edge.reasons import Reason

_Rule = tuple[Callable[[Declaration], object], Refusals]

_RULES: Final[tuple[_Rule, ...]] = (
    (
        lambda _: True,
        {
            400: [Reason.HOST_INVALID, Reason.PATH_AMBIGUOUS, Reason.FIELD_REPEATED],
            414: [Reason.URL_TOO_LONG],
            431: [Reason.TOO_MANY_FIELDS],
            500: [Reason.INTERNAL_ERROR],
        },
    ),
    (
        lambda route: route.methods,
        {
            400: [Reason.AUTHORIZATION_MALFORMED, Reason.AUTHORIZATION_REPEATED],
            401: [Reason.CREDENTIALS_MISSING],
            503: [Reason.STORE_UNAVAILABLE],
        },
    ),
    (
        lambda route: "bearer" in route.methods,
        {
            401: sorted(ABOUT_A_TOKEN),
            503: [
                Reason.REVOCATIONS_UNAVAILABLE,
                Reason.SIGNING_UNAVAILABLE,
                Reason.ISSUER_UNAVAILABLE,
            ],
        },
    ),
    (
        lambda route: "basic" in route.methods,
        {
            401: [Reason.CREDENTIALS_INVALID, Reason.ACCOUNT_DISABLED],
            429: [Reason.RATE_LIMITED],
            503: [Reason.HASHING_OVERLOADED],
        },
    ),
    (lambda route: route.roles, {403: [Reason.ROLE_MISSING]}),
    (lambda route: route.scopes, {403: [Reason.INSUFFICIENT_SCOPE]}),
    (lambda route: route.is_guarded, {403: [Reason.REQUEST_INVALID]}),
    (lambda route: route.is_checked, {400: [Reason.VALIDATION_FAILED]}),
    (
        lambda route: route.body and not route.is_oauth,
        {
            400: [Reason.BODY_MISSING, Reason.BODY_INCOMPLETE, Reason.VALIDATION_FAILED],
            408: [Reason.BODY_TIMEOUT],
            413: [Reason.BODY_TOO_LARGE],
            415: [Reason.CONTENT_TYPE_UNSUPPORTED, Reason.CONTENT_ENCODING_UNSUPPORTED],
        },
    ),
    (lambda route: route.body == JSON, {400: [Reason.JSON_INVALID, Reason.JSON_TOO_DEEP]}),
    (
        lambda route: route.body == FORM and not route.is_oauth,
        {400: [Reason.FORM_TOO_LARGE]},
    ),
    (lambda route: route.body in (PARTS, MESSAGEPACK), {400: [Reason.REQUEST_INVALID]}),
    (
        lambda route: route.is_oauth,
        {400: ["invalid_request"], 401: ["invalid_client"], 503: ["temporarily_unavailable"]},
    ),
    (lambda route: route.policies, {429: [Reason.RATE_LIMITED]}),
    (
        lambda route: any(policy.on_outage == "deny" for policy in route.policies),
        {503: [Reason.LIMITS_UNAVAILABLE]},
    ),
)


def refusals_of(route: Declaration) -> dict[int, list[Code]]:
    """Give the codes a route can refuse with, by status, each once."""
    found: dict[int, dict[Code, None]] = {}
    following = [refusals for holds, refusals in _RULES if holds(route)]
    for refusals in (*following, route.refuses):
        for status, codes in refusals.items():
            found.setdefault(status, {}).update(dict.fromkeys(codes))
    return {status: list(found[status]) for status in sorted(found)}
