"""Guards for Litestar handlers: `@get("/reports", guards=[requires_role("auditor")])`.

They run after the enforcement point, so there is always a principal; on a public route they fail.
"""

from collections.abc import Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from edge.access.decision import Forbidden
from edge.http.enforcement import forbid, principal_of
from edge.reasons import Reason

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], None]


def needs_principal(guard: object) -> bool:
    """Say whether a guard is one of these, which ask about the principal."""
    return getattr(guard, "__module__", "") == __name__


def requires_role(role: str) -> Guard:
    """Let in who has this role, or one that includes it; others get 403 `role_missing`."""
    return requires_any_role(role)


def requires_any_role(*roles: str) -> Guard:
    """Let in who has at least one of these roles; others get 403 `role_missing`."""
    sufficient = frozenset(roles)

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        principal = principal_of(connection)
        if not principal.roles & sufficient:
            raise forbid(connection, principal, Forbidden(Reason.ROLE_MISSING))

    return guard


def requires_scope(*scopes: str) -> Guard:
    """Let in whose token has all these scopes; others get 403 `insufficient_scope`."""
    needed = frozenset(scopes)
    named = tuple(sorted(needed))

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        principal = principal_of(connection)
        if not needed <= principal.scopes:
            raise forbid(connection, principal, Forbidden(Reason.INSUFFICIENT_SCOPE, named))

    return guard
