"""Counting what the limiter decides, by policy."""

from collections import Counter
from typing import Protocol

from edge.telemetry.metrics import Metrics, Summary

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

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._batch_requests = Summary()
        self._round_trip_s = Summary()

    def round_trip(self, requests: int, seconds: float) -> None:
        self._batch_requests.observe(requests)
        self._round_trip_s.observe(seconds)

    def decided(self, policy: _Named, limit: int, verdict: _Verdict, *, is_admitted: bool) -> None:
        if not verdict.fits:
            outcome = "shadow_refused" if policy.is_shadow else "refused"
        elif is_admitted:
            outcome = "allowed"
            if verdict.remaining * _NEAR <= limit:
                self._counts[policy.name, "near_limit"] += 1
        else:
            return
        self._counts[policy.name, outcome] += 1

    def remembered(self, policy: _Named) -> None:
        self._counts[policy.name, "refused"] += 1

    def without_windows(self, policy: _Named) -> None:
        self._counts[policy.name, "outage"] += 1

    def show_in(self, metrics: Metrics) -> None:
        metrics.add_counts(
            "edge_rate_limit_decisions_total",
            "Decisions about requests: allowed, refused, shadow_refused; near_limit and outage"
            " are told beside them.",
            ("policy", "outcome"),
            lambda: self._counts,
        )
        metrics.add_summary(
            "edge_rate_limit_batch_requests",
            "Requests that shared a round trip to Redis.",
            self._batch_requests,
        )
        metrics.add_summary(
            "edge_rate_limit_round_trip_seconds",
            "How long round trips to Redis took.",
            self._round_trip_s,
        )
