"""When signing keys sign and when they go. Pure: a key's state follows from two times and now.

All replicas agree without knowing of each other: a key begins to sign at a time in its row, which
is late enough that whoever cached the JWK Set before it was there has asked again, and that every
replica has read the row or has stopped signing.
"""

from collections.abc import Iterable
from math import inf
from typing import Literal

import msgspec

State = Literal["pending", "active", "retiring", "retired"]


class KeyTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The times of a signing key, in milliseconds of the database's clock.

    From `retires_at_ms` on nobody accepts it; without one there is no successor yet.
    """

    kid: str
    created_at_ms: int
    activates_at_ms: int
    retires_at_ms: int | None = None

    def is_retired(self, now_ms: int) -> bool:
        return self.retires_at_ms is not None and self.retires_at_ms <= now_ms


class KeySchedule(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take, in seconds.

    `jwks_max_age_s` others may keep the JWK Set, and `skew_s` longer where a cache or a clock is
    slow; replicas read the keys every `reload_s`. Access tokens live for `access_lifetime_s`, and
    `leeway_s` of clock difference is forgiven in them.
    """

    jwks_max_age_s: int
    skew_s: int
    reload_s: int
    access_lifetime_s: int
    leeway_s: int

    @property
    def publish_delay_ms(self) -> int:
        """How long a key is published before it signs; how long a view is good to sign by.

        Of two looks at the keys, one may take long or fail.
        """
        return (self.jwks_max_age_s + self.skew_s + 2 * self.reload_s) * 1000

    @property
    def retirement_ms(self) -> int:
        """How long after its successor begins to sign a key is still needed.

        A replica with an old view may sign with it for one publish delay more.
        """
        return (self.access_lifetime_s + 2 * self.leeway_s) * 1000 + self.publish_delay_ms


def active_key(keys: Iterable[KeyTimes], now_ms: int) -> KeyTimes | None:
    """Give the key to sign with: of those that may, the one made last; it succeeds all others."""
    ready = (key for key in keys if key.activates_at_ms <= now_ms and not key.is_retired(now_ms))
    return max(ready, key=_order, default=None)


def is_needed(key: KeyTimes, keys: Iterable[KeyTimes], now_ms: int) -> bool:
    """Say whether, without this key, nothing would sign from its time on."""
    begins_ms = max(key.activates_at_ms, now_ms)
    return not any(
        _order(key) < _order(other)
        and other.activates_at_ms <= begins_ms
        and not other.is_retired(now_ms)
        for other in keys
    )


def states(keys: Iterable[KeyTimes], now_ms: int) -> dict[str, State]:
    """Give the state of each key by its `kid`."""
    known = list(keys)
    active = active_key(known, now_ms)
    return {key.kid: "active" if key is active else _state(key, now_ms) for key in known}


def _state(key: KeyTimes, now_ms: int) -> State:
    if key.is_retired(now_ms):
        return "retired"
    return "pending" if now_ms < key.activates_at_ms else "retiring"


def _order(key: KeyTimes) -> tuple[int, float]:
    """Order keys as they were made; of two made at once, only the last one has no end."""
    return key.created_at_ms, inf if key.retires_at_ms is None else key.retires_at_ms
