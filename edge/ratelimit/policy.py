"""Policies: what is limited, by what it is counted, and what happens when it cannot be counted."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final, Literal

import msgspec

from edge.ratelimit.charge import SUB_WINDOWS, Algorithm, Quota

OnOutage = Literal["allow", "deny", "local"]
Counts = Literal["requests", "logins"]

# A part of a partition key that is a header field: `header:x-api-key`.
HEADER: Final = "header:"

_MICROSECONDS: Final = 1_000_000


class Policy(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A named rate rule: `limit` units in any `window_s` seconds, for each partition key.

    `partition` names what is counted by: `address` (IPv6 by /64), `principal`, `client`, `account`,
    `header:<name>`, `route`, `global`, or several. A policy of which a part is not known, such as
    the principal on a public route, does not apply.

    `counts` says whether requests are counted or attempts to log in. `routes`, `paths` and
    `methods` narrow it down; empty ones cover all. `role_limits` replaces the limit for who has the
    role; of several, the highest counts.
    """

    name: str
    limit: int
    window_s: float
    algorithm: Algorithm = "counter"
    partition: tuple[str, ...] = ("address",)
    counts: Counts = "requests"
    routes: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    role_limits: Mapping[str, int] = {}
    cost: int = 1
    on_outage: OnOutage = "local"
    is_shadow: bool = False

    @cached_property
    def key_prefix(self) -> bytes:
        """What the keys of its windows begin with: windows of another kind are other windows."""
        kind = f"{self.algorithm}-{self.quota().window_us}"
        return f"edge:limit:{self.name}:{kind}:".encode("ascii")

    @cached_property
    def _quotas(self) -> dict[int, Quota]:
        # Of ten whole sub-windows, so that none of them is cut short.
        window_us = -(-round(self.window_s * _MICROSECONDS) // SUB_WINDOWS) * SUB_WINDOWS
        limits = {self.limit, *self.role_limits.values()}
        return {limit: Quota(self.algorithm, limit, window_us) for limit in limits}

    def quota(self, roles: Iterable[str] = ()) -> Quota:
        """Give the quota of somebody with these roles."""
        if not self.role_limits:
            return self._quotas[self.limit]
        own = [self.role_limits[role] for role in roles if role in self.role_limits]
        return self._quotas[max(own, default=self.limit)]

    def costing(self, cost: int) -> "Policy":
        """Give the same policy for requests that cost so much."""
        return msgspec.structs.replace(self, cost=cost)

    @cached_property
    def is_about_the_caller(self) -> bool:
        """Whether its window is the caller's own, so that they may see how it stands."""
        return not {"address", "principal", "client"}.isdisjoint(self.partition)
