"""Examples: one route for each way of letting in or keeping out.

They show what a handler of your own looks like, and are left out where
`EDGE_EXAMPLE_ROUTES=false`.
"""

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.params import JSONBody
from msgspec import Meta

from edge.access.principal import Principal
from edge.http.bodies import BodyError, EdgeRequest
from edge.http.enforcement import PUBLIC, accepts
from edge.http.guards import requires_role, requires_scope
from edge.http.markup import TextResponse, has_markup, sanitise
from edge.http.problems import FieldError
from edge.http.tags import EXAMPLES as TAG
from edge.ratelimit.policy import Policy
from edge.reasons import Reason


class Welcome(msgspec.Struct, frozen=True):
    """What let the request in, and whose it is."""

    let_in_by: str
    subject: str
    roles: list[str]
    scopes: list[str]


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /safe-input`: `markup` says what becomes of markup.

    `sanitise`: the description is HTML, and what is not harmless in it is taken out.
    `refuse`: both are text, and neither may have any.
    """

    title: Annotated[str, Meta(min_length=1, max_length=100, examples=["A title"])]
    description: Annotated[
        str, Meta(max_length=1000, examples=["<b>bold</b><script>alert(1)</script>"])
    ] = ""
    markup: Literal["sanitise", "refuse"] = "sanitise"


class SafeSubmission(msgspec.Struct, frozen=True):
    """What may be shown: the title as text, the description as HTML where it was sanitised."""

    title: str
    description: str


@get(
    "/basic-protected",
    opt=accepts("basic"),
    tags=[TAG],
    summary="For a username and a password, by HTTP Basic",
    sync_to_thread=False,
)
def basic_protected(request: EdgeRequest) -> Welcome:
    return _welcome("HTTP Basic", request.user)


@get(
    "/bearer-protected",
    tags=[TAG],
    summary="For an access token, whoever it belongs to",
    sync_to_thread=False,
)
def bearer_protected(request: EdgeRequest) -> Welcome:
    return _welcome("an access token", request.user)


@get(
    "/secure-data",
    guards=[requires_scope("profile")],
    tags=[TAG],
    summary="For an access token with a scope",
    sync_to_thread=False,
)
def secure_data(request: EdgeRequest) -> Welcome:
    return _welcome("an access token with the scope profile", request.user)


@get(
    "/admin-area",
    guards=[requires_role("admin")],
    tags=[TAG],
    summary="For a role: admin",
    sync_to_thread=False,
)
def admin_area(request: EdgeRequest) -> Welcome:
    return _welcome("the role admin", request.user)


@get(
    "/moderator-area",
    guards=[requires_role("moderator")],
    tags=[TAG],
    summary="For a role: moderator",
    sync_to_thread=False,
)
def moderator_area(request: EdgeRequest) -> Welcome:
    return _welcome("the role moderator", request.user)


@get(
    "/user-area",
    guards=[requires_role("user")],
    tags=[TAG],
    summary="For a role: user",
    sync_to_thread=False,
)
def user_area(request: EdgeRequest) -> Welcome:
    return _welcome("the role user", request.user)


@get(
    "/protected-endpoint",
    rate_policies=[
        Policy(name="protected-endpoint", limit=5, window_s=60, partition=("principal",))
    ],
    tags=[TAG],
    summary="Five times a minute, then 429",
    sync_to_thread=False,
)
def protected_endpoint(request: EdgeRequest) -> Welcome:
    return _welcome("an access token, five times a minute", request.user)


@post(
    "/safe-input",
    opt=dict(PUBLIC),
    status_code=HTTPStatus.OK,
    response_class=TextResponse,
    tags=[TAG],
    summary="Text and HTML from anybody, safe to show",
    description="Markup is sanitised, or refused with `markup_refused`: `markup` says which.",
    refuses={400: [Reason.MARKUP_REFUSED]},
    sync_to_thread=False,
)
def safe_input(data: JSONBody[Submission]) -> SafeSubmission:
    if data.markup == "sanitise":
        return SafeSubmission(data.title, sanitise(data.description))
    texts = {"/title": data.title, "/description": data.description}
    found = [pointer for pointer, text in texts.items() if has_markup(text)]
    if found:
        errors = [FieldError(pointer, "has markup") for pointer in found]
        raise BodyError(Reason.MARKUP_REFUSED, errors)
    return SafeSubmission(data.title, data.description)


def _welcome(let_in_by: str, principal: Principal) -> Welcome:
    return Welcome(let_in_by, principal.subject, sorted(principal.roles), sorted(principal.scopes))


EXAMPLES = [
    basic_protected,
    bearer_protected,
    secure_data,
    admin_area,
    moderator_area,
    user_area,
    protected_endpoint,
    safe_input,
]
