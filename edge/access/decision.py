"""The decision about a request: a closed set of values, to be matched exhaustively."""

import msgspec

from edge.access.principal import Principal
from edge.reasons import Reason


class Allow(msgspec.Struct, frozen=True):
    """The request may go on, as this principal."""

    principal: Principal


class Malformed(msgspec.Struct, frozen=True):
    """The request cannot be understood: 400."""

    reason: Reason


class Unauthenticated(msgspec.Struct, frozen=True):
    """The credentials are missing or do not hold: 401."""

    reason: Reason


class Forbidden(msgspec.Struct, frozen=True):
    """The principal is known and may not: 403. `scopes` are those that would have been needed."""

    reason: Reason
    scopes: tuple[str, ...] = ()


class Throttled(msgspec.Struct, frozen=True):
    """Too many requests: 429. Without `retry_after_s`, waiting does not help."""

    reason: Reason
    retry_after_s: int | None
    policy: str = ""


class Unavailable(msgspec.Struct, frozen=True):
    """Edge cannot decide: 503."""

    reason: Reason
    retry_after_s: int


Refusal = Malformed | Unauthenticated | Forbidden | Throttled | Unavailable
Decision = Allow | Refusal
