"""Counting what the limiter decides, by policy."""

from typing import Protocol

from edge.telemetry.catalogue import LIMIT_BATCH, LIMIT_DECISIONS, LIMIT_ROUND_TRIP, REDIS_WAITS
from edge.telemetry.metrics import Metrics

# A window is nearly full when a fifth of it or less is left.
_NEAR = 5


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def is_shadow(self) -> bool: ...


class _Verdict(Protocol):
    @property
    def remaining(self) -> int: ...

    @property
    def fits(self) -> bool: ...


class LimitCounts:
    """The `LimiterWatcher` that counts, and what round trips to Redis are told to."""

    def __init__(self, metrics: Metrics) -> None:
        self._decisions = metrics.counts(LIMIT_DECISIONS)
        self._waits = metrics.count(REDIS_WAITS)
        self._batch_requests = metrics.summary(LIMIT_BATCH)
        self._round_trip_s = metrics.summary(LIMIT_ROUND_TRIP)

    def round_trip(self, requests: int, seconds: float) -> None:
        self._batch_requests.observe(requests)
        self._round_trip_s.observe(seconds)

    def waited(self, requests: int) -> None:
        self._waits.add(requests)

    def decided(self, policy: _Named, limit: int, verdict: _Verdict, *, is_admitted: bool) -> None:
        if not verdict.fits:
            self._decisions.add(policy.name, "shadow_refused" if policy.is_shadow else "refused")
        elif is_admitted:
            self._decisions.add(policy.name, "allowed")
            if verdict.remaining * _NEAR <= limit:
                self._decisions.add(policy.name, "near_limit")

    def remembered(self, policy: _Named) -> None:
        self._decisions.add(policy.name, "refused")

    def without_windows(self, policy: _Named) -> None:
        self._decisions.add(policy.name, "outage")
