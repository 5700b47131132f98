"""Policies: what is limited, by what it is counted, and what happens when it cannot be counted."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from edge.ratelimit.charge import Algorithm, Quota

OnOutage = Literal["allow", "deny", "local"]

_MICROSECONDS = 1_000_000


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A named rate rule: `limit` units per `window_s` seconds for each partition key.

    `partition` names what is counted by, in order: `address` (IPv6 by /64), `principal`, `client`,
    `account`, `header:<name>`, `route`, `global`. A policy whose part is not known for a request,
    such as the principal of a public route, does not apply to it.

    `role_limits` replaces the limit for who has the role; of several, the highest counts.
    """

    name: str
    limit: int
    window_s: float
    algorithm: Algorithm = "counter"
    partition: tuple[str, ...] = ("address",)
    routes: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    role_limits: dict[str, int] = {}
    cost: int = 1
    on_outage: OnOutage = "local"
    is_shadow: bool = False

    def quota(self, roles: Iterable[str] = ()) -> Quota:
        """Give the quota of somebody with these roles."""
        own = [self.role_limits[role] for role in roles if role in self.role_limits]
        return Quota(
            self.algorithm, max(own, default=self.limit), round(self.window_s * _MICROSECONDS)
        )
