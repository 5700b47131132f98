"""Access rules: what a request to somebody else's service has to bring. Pure.

The first rule that covers a request counts; where none does, nobody gets through.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from edge.access.decision import Forbidden
from edge.access.principal import Method, Principal
from edge.globs import matches_any
from edge.reasons import Reason

_MOST_REMEMBERED: Final = 4096


class AccessRule(msgspec.Struct, frozen=True, kw_only=True):
    """Who may ask what. Without hosts, paths or methods it covers all of them.

    Of `roles` one is needed, of `scopes` all; both come on top of being somebody. `is_shadow`:
    what is refused gets through all the same, and is told.
    """

    name: str
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    is_public: bool = False
    authentication: frozenset[Method] = frozenset({"bearer"})
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    rate_policies: tuple[str, ...] = ()
    audience: str = ""
    is_shadow: bool = False

    def covers(self, method: str, host: str, path: str) -> bool:
        """Say whether the rule is about such a request; host in lower case, path decoded."""
        return (
            (not self.methods or method in self.methods)
            and (not self.hosts or matches_any(host, self.hosts))
            and (not self.paths or matches_any(path, self.paths))
        )

    @property
    def accepted(self) -> frozenset[Method]:
        """Which authentication methods it takes; none where it is public."""
        return frozenset() if self.is_public else self.authentication

    def judge(self, principal: Principal) -> Forbidden | None:
        """Say why this principal may not, or nothing."""
        if self.roles and not principal.roles & self.roles:
            return Forbidden(Reason.ROLE_MISSING)
        if not self.scopes <= principal.scopes:
            return Forbidden(Reason.INSUFFICIENT_SCOPE, tuple(sorted(self.scopes)))
        return None


class AccessRules:
    """All rules, in their order."""

    def __init__(self, rules: Sequence[AccessRule]) -> None:
        self.rules = tuple(rules)
        self.find = lru_cache(_MOST_REMEMBERED)(self._look_up)

    def _look_up(self, method: str, host: str, path: str) -> AccessRule | None:
        """Give the first rule that covers a request."""
        return next((rule for rule in self.rules if rule.covers(method, host, path)), None)
