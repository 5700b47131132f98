"""Guards for Litestar handlers: `@get("/reports", guards=[requires_role("auditor")])`.

They are asked by the enforcement point, so there is always a principal; on a public route they
fail.
"""

from collections.abc import Sequence
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from edge.access.decision import Forbidden
from edge.access.principal import Principal
from edge.http.enforcement import forbid, have_judged, principal_of
from edge.reasons import Reason

Connection = ASGIConnection[Any, Any, Any, Any]


def needs_principal(guard: object) -> bool:
    """Say whether a guard is one of these, which ask about the principal."""
    return isinstance(guard, RoleGuard | ScopeGuard)


def declared_guards(handler: BaseRouteHandler) -> Sequence[object]:
    """Give the guards of a handler, those of the layers around it first."""
    return [guard for layer in handler.ownership_layers for guard in layer.guards or ()]


def hand_over(handler: BaseRouteHandler) -> None:
    """Let the enforcement point ask the guards of this module, in place of Litestar.

    For each guard and each request, Litestar copies the whole handler, which takes longer than all
    that Edge does for the request. Should it ask them as well, they answer the same.
    """
    ours = [
        guard for guard in declared_guards(handler) if isinstance(guard, RoleGuard | ScopeGuard)
    ]
    if ours:
        have_judged(handler, ours)
        guards = handler.resolve_guards()
        guards[:] = [guard for guard in guards if not needs_principal(guard)]


class RoleGuard:
    """Lets in who has at least one of `roles`. Async, for Litestar calls others on a thread."""

    def __init__(self, roles: tuple[str, ...]) -> None:
        self.roles = roles
        self._sufficient = frozenset(roles)

    def judge(self, principal: Principal) -> Forbidden | None:
        if principal.roles & self._sufficient:
            return None
        return Forbidden(Reason.ROLE_MISSING)

    async def __call__(self, connection: Connection, _: BaseRouteHandler) -> None:
        _ask(self, connection)


class ScopeGuard:
    """Lets in whose token has all of `scopes`."""

    def __init__(self, scopes: tuple[str, ...]) -> None:
        self.scopes = tuple(sorted(set(scopes)))
        self._needed = frozenset(scopes)

    def judge(self, principal: Principal) -> Forbidden | None:
        if self._needed <= principal.scopes:
            return None
        return Forbidden(Reason.INSUFFICIENT_SCOPE, self.scopes)

    async def __call__(self, connection: Connection, _: BaseRouteHandler) -> None:
        _ask(self, connection)


def _ask(guard: RoleGuard | ScopeGuard, connection: Connection) -> None:
    principal = principal_of(connection)
    refusal = guard.judge(principal)
    if refusal is not None:
        raise forbid(connection, principal, refusal)


def requires_role(role: str) -> RoleGuard:
    """Let in who has this role, or one that includes it; others get 403 `role_missing`."""
    return requires_any_role(role)


def requires_any_role(*roles: str) -> RoleGuard:
    """Let in who has at least one of these roles; others get 403 `role_missing`."""
    return RoleGuard(roles)


def requires_scope(*scopes: str) -> ScopeGuard:
    """Let in whose token has all these scopes; others get 403 `insufficient_scope`."""
    return ScopeGuard(scopes)
