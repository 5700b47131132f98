"""Metrics of a test, and reading what a server shows of its own."""

from collections.abc import Mapping

import httpx

from edge.telemetry.counting import RequestCounts
from edge.telemetry.metrics import Metrics


def new_metrics() -> Metrics:
    return Metrics(lambda: 0.0)


def new_counts(metrics: Metrics | None = None) -> RequestCounts:
    return RequestCounts(metrics or new_metrics(), "route")


def values_in(text: str) -> Mapping[str, float]:
    """Give the value of each line, by its name and labels as they stand there."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def scrape(port: int) -> Mapping[str, float]:
    answer = httpx.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return values_in(answer.text)
