"""What is read off the long-lived objects each second: the gauges of the composition root."""

import platform

from edge.accounts.argon2 import Argon2Hasher
from edge.ratelimit.shared import SharedWindows
from edge.stores.sql import Database
from edge.telemetry import catalogue
from edge.telemetry.draining import Draining
from edge.telemetry.metrics import Metrics
from edge.tokens.revocation_reader import RevocationReader
from edge.tokens.verifier import Verifier


def add_process_gauges(metrics: Metrics, draining: Draining, version: str) -> None:
    metrics.add_gauge(catalogue.BUILD, lambda: 1.0, version, platform.python_version())
    metrics.add_gauge(catalogue.DRAINING, lambda: float(draining.is_on))


def add_token_gauges(metrics: Metrics, revocations: RevocationReader, verifier: Verifier) -> None:
    metrics.add_gauge(catalogue.REVOCATION_LAG, lambda: revocations.lag_s)
    metrics.add_gauge(catalogue.REVOCATION_ENTRIES, lambda: len(revocations))
    metrics.add_gauge(catalogue.TOKEN_CACHE_ENTRIES, lambda: len(verifier))


def add_store_gauges(metrics: Metrics, database: Database, shared: SharedWindows | None) -> None:
    metrics.add_gauge(catalogue.SQL_IN_USE, lambda: database.connections_in_use)
    metrics.add_gauge(catalogue.SQL_SIZE, lambda: database.most_connections)
    if shared:
        metrics.add_gauge(catalogue.REDIS_SIZE, lambda: shared.lanes)
        metrics.add_gauge(catalogue.REDIS_WELL, lambda: shared.well_lanes)
        metrics.add_gauge(catalogue.REDIS_IN_USE, lambda: shared.busy_lanes)
        metrics.add_gauge(catalogue.REDIS_WAITING, lambda: shared.waiting)


def add_hash_gauges(metrics: Metrics, hasher: Argon2Hasher) -> None:
    metrics.add_gauge(catalogue.HASHES_RUNNING, lambda: hasher.running)
    metrics.add_gauge(catalogue.HASHES_WAITING, lambda: hasher.waiting)
