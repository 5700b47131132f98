"""Counting what happens to requests, and security events."""

from typing import Final, Literal

import msgspec

from edge.telemetry.catalogue import DECISIONS, DURATIONS, EVENTS, REQUESTS
from edge.telemetry.events import Record, SecurityEvent, names
from edge.telemetry.metrics import Count, Histogram, Metrics

# The route of whatever met none: paths that are not there would be labels without an end.
UNMATCHED: Final = "unmatched"
# The route of apps that are mounted whole, for which Litestar has no template.
MOUNTED: Final = "mounted"

Point = Literal["route", "forward"]
Outcome = Literal["allowed", "refused", "shadow_refused"]
# The outcome, and the code of its reason.
Decision = tuple[Outcome, str]
ALLOWED: Final[Decision] = "allowed", ""


class _Counters(msgspec.Struct, frozen=True):
    """Where a request is counted; without a decision where nobody was asked who they are."""

    requests: Count
    durations: Histogram
    decisions: Count | None


class RequestCounts:
    """Counts requests and the decisions about them that are made at one point.

    A route is named by its template, and requests are timed by `clock`, in seconds.
    """

    def __init__(self, metrics: Metrics, point: Point) -> None:
        self.clock = metrics.clock
        self._metrics = metrics
        self._point = point
        self._known: dict[tuple[str, int, Decision | None], _Counters] = {}

    def answered(self, route: str, status: int, seconds: float, decision: Decision | None) -> None:
        """Count a request that is over, with the status 0 where it got no answer."""
        # One look-up for all of it: this is done for every request.
        known = self._known.get((route, status, decision)) or self._find(route, status, decision)
        known.requests.add()
        known.durations.observe(seconds)
        if known.decisions is not None:
            known.decisions.add()

    def _find(self, route: str, status: int, decision: Decision | None) -> _Counters:
        find, named = self._metrics.count, route or MOUNTED
        found = _Counters(
            find(REQUESTS, named, str(status) if status else "none"),
            self._metrics.histogram(DURATIONS, named),
            None if decision is None else find(DECISIONS, self._point, *decision),
        )
        self._known[route, status, decision] = found
        return found


def counting_events(metrics: Metrics, record: Record) -> Record:
    """Give a `record` that counts too; each event is 0 before it happens, so that alerts see it."""
    counts = {name: metrics.count(EVENTS, name) for name in names()}

    def count_and_record(event: SecurityEvent) -> None:
        counts[event.name].add()
        record(event)

    return count_and_record
