"""Signing keys in a ring, without a store."""

from collections.abc import Callable, Sequence
from typing import Final

from edge.tokens.key_ring import KeyRing, RingKey
from edge.tokens.key_schedule import KeySchedule, KeyTimes
from edge.tokens.signing_key import OpenedKey
from edge.tokens.verifier import Verifier

SCHEDULE: Final = KeySchedule(
    jwks_max_age_s=300, skew_s=60, reload_s=10, access_lifetime_s=900, leeway_s=5
)


def ring_of(
    verifier: Verifier, issuer: str, keys: Sequence[OpenedKey], *, clock: Callable[[], float]
) -> KeyRing:
    """Load these keys; the last one signs."""
    ring = KeyRing(verifier, issuer, SCHEDULE, clock=clock, monotonic=clock)
    times = [
        KeyTimes(kid=key.signing.kid, created_at_ms=place, activates_at_ms=place)
        for place, key in enumerate(keys)
    ]
    ring.load(
        [RingKey(key, time) for key, time in zip(keys, times, strict=True)],
        read_at_ms=round(clock() * 1000),
        began_s=clock(),
    )
    return ring
