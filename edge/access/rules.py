"""Roles and scopes: what includes what, and who may hold what. Pure tables, computed once."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

# scope-token of RFC 6749 section 3.3; tokens are separated by one space.
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+(?: [!#-\[\]-~]+)*")


class RoleHierarchy:
    """Which roles a role brings with it. Names match exactly; nothing is included unless said."""

    def __init__(self, includes: Mapping[str, Iterable[str]]) -> None:
        direct = {role: frozenset(included) for role, included in includes.items()}
        self._closure = {role: _reach(role, direct) for role in direct}

    def effective(self, roles: Iterable[str]) -> frozenset[str]:
        """Give these roles and all that they include."""
        assigned = frozenset(roles)
        return assigned.union(*(self._closure[role] for role in assigned & self._closure.keys()))


class ScopePolicy:
    """Which roles may hold which scope."""

    def __init__(self, scopes: Mapping[str, Iterable[str]]) -> None:
        self._roles_by_scope = {scope: frozenset(roles) for scope, roles in scopes.items()}

    def allowed(self, roles: frozenset[str]) -> frozenset[str]:
        """Give every scope that somebody with these (effective) roles may hold."""
        return frozenset(
            scope for scope, holders in self._roles_by_scope.items() if holders & roles
        )

    @property
    def known(self) -> frozenset[str]:
        """Every scope there is."""
        return frozenset(self._roles_by_scope)

    def grant(self, asked: str | None, allowed: frozenset[str]) -> frozenset[str] | None:
        """Give the scopes for a request: those asked for that are allowed.

        Without a request, all that are allowed: the pre-defined default of RFC 6749 section 3.3.
        None where the request is malformed, names an unknown scope, or nothing of it is allowed.
        """
        if asked is None:
            return allowed & self.known
        wanted = parse_scope(asked)
        if wanted is None or not wanted <= self.known:
            return None
        return wanted & allowed or None


def parse_scope(text: str) -> frozenset[str] | None:
    """Take a `scope` parameter apart; None where it is not one."""
    return frozenset(text.split(" ")) if _SCOPE.fullmatch(text) else None


def _reach(start: str, direct: Mapping[str, frozenset[str]]) -> frozenset[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        role = waiting.pop()
        if role not in reached:
            reached.add(role)
            waiting.extend(direct.get(role, ()))
    return frozenset(reached)
