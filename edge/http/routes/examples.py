"""Examples: one route for each way of letting in or keeping out.

They show what a handler of your own looks like, and are left out where
`EDGE_EXAMPLE_ROUTES=false`.
"""

from litestar import get
from litestar.di import NamedDependency

from edge.access.principal import Principal
from edge.http.enforcement import accepts
from edge.http.guards import requires_role, requires_scope
from edge.ratelimit.policy import Policy

Answer = dict[str, object]


@get("/basic-protected", opt=accepts("basic"), sync_to_thread=False)
def basic_protected(principal: NamedDependency[Principal]) -> Answer:
    return _welcome("HTTP Basic", principal)


@get("/bearer-protected", sync_to_thread=False)
def bearer_protected(principal: NamedDependency[Principal]) -> Answer:
    return _welcome("an access token", principal)


@get("/secure-data", guards=[requires_scope("profile")], sync_to_thread=False)
def secure_data(principal: NamedDependency[Principal]) -> Answer:
    return _welcome("an access token with the scope profile", principal)


@get("/admin-area", guards=[requires_role("admin")], sync_to_thread=False)
def admin_area(principal: NamedDependency[Principal]) -> Answer:
    return _welcome("the role admin", principal)


@get("/moderator-area", guards=[requires_role("moderator")], sync_to_thread=False)
def moderator_area(principal: NamedDependency[Principal]) -> Answer:
    return _welcome("the role moderator", principal)


@get("/user-area", guards=[requires_role("user")], sync_to_thread=False)
def user_area(principal: NamedDependency[Principal]) -> Answer:
    return _welcome("the role user", principal)


@get(
    "/protected-endpoint",
    rate_policies=[
        Policy(name="protected-endpoint", limit=5, window_s=60, partition=("principal",))
    ],
    sync_to_thread=False,
)
def protected_endpoint(principal: NamedDependency[Principal]) -> Answer:
    return _welcome("an access token, five times a minute", principal)


def _welcome(let_in_by: str, principal: Principal) -> Answer:
    return {
        "let_in_by": let_in_by,
        "subject": principal.subject,
        "roles": sorted(principal.roles),
        "scopes": sorted(principal.scopes),
    }


EXAMPLES = [
    basic_protected,
    bearer_protected,
    secure_data,
    admin_area,
    moderator_area,
    user_area,
    protected_endpoint,
]
