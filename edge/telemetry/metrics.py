"""Metrics in the text format of Prometheus; values are read when somebody asks."""

from collections.abc import Callable

import msgspec

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Gauge(msgspec.Struct, frozen=True):
    name: str
    help: str
    read: Callable[[], float]


class Metrics:
    """The metrics of one process, each registered where the thing it measures is made."""

    def __init__(self) -> None:
        self._gauges: list[_Gauge] = []

    def add_gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """Register a value that goes up and down; `read` must not wait."""
        self._gauges.append(_Gauge(name, help_text, read))

    def render(self) -> str:
        return "".join(
            f"# HELP {gauge.name} {gauge.help}\n# TYPE {gauge.name} gauge\n"
            f"{gauge.name} {gauge.read():g}\n"
            for gauge in self._gauges
        )
