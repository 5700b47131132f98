"""Guards for Litestar handlers: `@get("/reports", guards=[requires_role("auditor")])`.

They run after the enforcement point, so there is always a principal; on a public route they fail.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from edge.access.decision import Forbidden
from edge.http.enforcement import forbid, principal_of
from edge.reasons import Reason

Connection = ASGIConnection[Any, Any, Any, Any]


def needs_principal(guard: object) -> bool:
    """Say whether a guard is one of these, which ask about the principal."""
    return isinstance(guard, RoleGuard | ScopeGuard)


class RoleGuard:
    """Lets in who has at least one of `roles`. Async, for Litestar calls others on a thread."""

    def __init__(self, roles: tuple[str, ...]) -> None:
        self.roles = roles
        self._sufficient = frozenset(roles)

    async def __call__(self, connection: Connection, _: BaseRouteHandler) -> None:
        principal = principal_of(connection)
        if not principal.roles & self._sufficient:
            raise forbid(connection, principal, Forbidden(Reason.ROLE_MISSING))


class ScopeGuard:
    """Lets in whose token has all of `scopes`."""

    def __init__(self, scopes: tuple[str, ...]) -> None:
        self.scopes = tuple(sorted(set(scopes)))
        self._needed = frozenset(scopes)

    async def __call__(self, connection: Connection, _: BaseRouteHandler) -> None:
        principal = principal_of(connection)
        if not self._needed <= principal.scopes:
            raise forbid(connection, principal, Forbidden(Reason.INSUFFICIENT_SCOPE, self.scopes))


def requires_role(role: str) -> RoleGuard:
    """Let in who has this role, or one that includes it; others get 403 `role_missing`."""
    return requires_any_role(role)


def requires_any_role(*roles: str) -> RoleGuard:
    """Let in who has at least one of these roles; others get 403 `role_missing`."""
    return RoleGuard(roles)


def requires_scope(*scopes: str) -> ScopeGuard:
    """Let in whose token has all these scopes; others get 403 `insufficient_scope`."""
    return ScopeGuard(scopes)
