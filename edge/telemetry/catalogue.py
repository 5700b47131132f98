"""Every metric: its name, kind, labels, meaning, and how the values of workers become one.

Names and labels are part of the interface, like reason codes; `docs/metrics.md` holds them all.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

# Seconds. What is decided in memory, with Redis, with SQL; a hash; a queue of hashes, which waits
# for 2 s by default; what a load balancer may have given up.
_DURATIONS: Final = (0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0)


class Metric(msgspec.Struct, frozen=True):
    """`merge` is for gauges; all else is added up. `bounds` are the buckets of a histogram."""

    name: str
    kind: Literal["counter", "gauge", "summary", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    merge: Literal["sum", "max"] = "sum"
    bounds: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers a series has: sum and count of a summary, buckets of a histogram."""
        match self.kind:
            case "histogram":
                return len(self.bounds) + 2  # one for what is beyond all bounds, one for the sum
            case "summary":
                return 2
            case _:
                return 1


REQUESTS: Final = Metric(
    "edge_http_requests_total",
    "counter",
    "Requests by the template of their route, unmatched where there is none, and by status.",
    ("route", "status"),
)
DURATIONS: Final = Metric(
    "edge_http_request_duration_seconds",
    "histogram",
    "How long requests took, until the whole answer was handed to the server.",
    ("route",),
    bounds=_DURATIONS,
)
DECISIONS: Final = Metric(
    "edge_decisions_total",
    "counter",
    "Decisions about requests, by point (route, forward), outcome (allowed, refused,"
    " shadow_refused) and reason.",
    ("point", "outcome", "reason"),
)
EVENTS: Final = Metric(
    "edge_security_events_total", "counter", "Security events, by their name.", ("event",)
)
TOKEN_CHECKS: Final = Metric(
    "edge_token_checks_total", "counter", "Access tokens that were checked."
)
TOKEN_CACHE_MISSES: Final = Metric(
    "edge_token_cache_misses_total",
    "counter",
    "Access tokens that were not remembered, so that a signature had to be looked at.",
)
TOKEN_CACHE_ENTRIES: Final = Metric(
    "edge_token_cache_entries", "gauge", "Verified access tokens that are remembered."
)
LIMIT_DECISIONS: Final = Metric(
    "edge_rate_limit_decisions_total",
    "counter",
    "Decisions about requests: allowed, refused, shadow_refused; near_limit and outage are told"
    " beside them.",
    ("policy", "outcome"),
)
LIMIT_BATCH: Final = Metric(
    "edge_rate_limit_batch_requests", "summary", "Requests that shared a round trip to Redis."
)
LIMIT_ROUND_TRIP: Final = Metric(
    "edge_rate_limit_round_trip_seconds", "summary", "How long round trips to Redis took."
)
HASHES_RUNNING: Final = Metric(
    "edge_password_hashes_running", "gauge", "Passwords that are being hashed."
)
HASHES_WAITING: Final = Metric(
    "edge_password_hashes_waiting", "gauge", "Passwords that wait for their turn to be hashed."
)
HASHES_REFUSED: Final = Metric(
    "edge_password_hashes_refused_total",
    "counter",
    "Passwords that waited too long and were not hashed.",
)
REVOCATION_LAG: Final = Metric(
    "edge_revocation_lag_seconds",
    "gauge",
    "How old the oldest view of the revocations is that a worker has.",
    merge="max",
)
REVOCATION_ENTRIES: Final = Metric(
    "edge_revocation_entries", "gauge", "How many revocations a worker knows.", merge="max"
)
SQL_IN_USE: Final = Metric(
    "edge_sql_connections_in_use", "gauge", "Connections to the database that are in use."
)
SQL_SIZE: Final = Metric(
    "edge_sql_connections_most", "gauge", "Connections to the database that there may be."
)
SQL_WAITS: Final = Metric(
    "edge_sql_connection_waits_total",
    "counter",
    "Transactions that found every connection to the database in use.",
)
REDIS_IN_USE: Final = Metric(
    "edge_redis_connections_in_use",
    "gauge",
    "Connections to Redis, of those for rate limits, that wait for an answer.",
)
REDIS_WELL: Final = Metric(
    "edge_redis_connections_well",
    "gauge",
    "Connections to Redis, of those for rate limits, by which it decides.",
)
REDIS_SIZE: Final = Metric(
    "edge_redis_connections_most",
    "gauge",
    "Connections to Redis for rate limits that there may be; 0 where windows are in memory.",
)
REDIS_WAITING: Final = Metric(
    "edge_redis_requests_waiting",
    "gauge",
    "Requests that wait for a connection to Redis to be free.",
)
REDIS_WAITS: Final = Metric(
    "edge_redis_waits_total",
    "counter",
    "Requests that had to wait until a connection to Redis was done with others.",
)
DRAINING: Final = Metric(
    "edge_draining", "gauge", "1 while load balancers are to send nothing more, else 0.", (), "max"
)
BUILD: Final = Metric(
    "edge_build_info", "gauge", "1, with the version of Edge.", ("version", "python"), "max"
)
WORKERS: Final = Metric("edge_workers", "gauge", "Worker processes that live.")
SILENCE: Final = Metric(
    "edge_worker_silence_seconds",
    "gauge",
    "Seconds since the worker that was silent longest told its gauges, each second if it is well.",
)

METRICS: Final = tuple(one for one in tuple(vars().values()) if isinstance(one, Metric))
BY_NAME: Final[Mapping[str, Metric]] = {metric.name: metric for metric in METRICS}
