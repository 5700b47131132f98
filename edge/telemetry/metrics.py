"""Metrics in the text format of Prometheus; values are read when somebody asks."""

from collections.abc import Callable, Mapping

import msgspec

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Gauge(msgspec.Struct, frozen=True):
    name: str
    help: str
    read: Callable[[], float]


class _Counts(msgspec.Struct, frozen=True):
    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[], Mapping[tuple[str, ...], int]]

    def render(self) -> str:
        head = f"# HELP {self.name} {self.help}\n# TYPE {self.name} counter\n"
        return head + "".join(
            f"{self.name}{{{self._labelled(values)}}} {count}\n"
            for values, count in sorted(self.read().items())
        )

    def _labelled(self, values: tuple[str, ...]) -> str:
        """Give the labels; the values are names of ours, in which nothing has to be escaped."""
        pairs = zip(self.labels, values, strict=True)
        return ",".join(f'{label}="{value}"' for label, value in pairs)


class Summary:
    """How often something was observed, and the sum of what was: the mean follows from both."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.count += 1
        self.sum += value


class _NamedSummary(msgspec.Struct, frozen=True):
    name: str
    help: str
    summary: Summary

    def render(self) -> str:
        return (
            f"# HELP {self.name} {self.help}\n# TYPE {self.name} summary\n"
            f"{self.name}_sum {self.summary.sum}\n{self.name}_count {self.summary.count}\n"
        )


class Metrics:
    """The metrics of one process, each registered where the thing it measures is made."""

    def __init__(self) -> None:
        self._gauges: list[_Gauge] = []
        self._counts: list[_Counts] = []
        self._summaries: list[_NamedSummary] = []

    def add_gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """Register a value that goes up and down; `read` must not wait."""
        self._gauges.append(_Gauge(name, help_text, read))

    def add_counts(
        self,
        name: str,
        help_text: str,
        labels: tuple[str, ...],
        read: Callable[[], Mapping[tuple[str, ...], int]],
    ) -> None:
        """Register values that only go up, one for each combination of labels."""
        self._counts.append(_Counts(name, help_text, labels, read))

    def add_summary(self, name: str, help_text: str, summary: Summary) -> None:
        """Register what is observed in `summary`."""
        self._summaries.append(_NamedSummary(name, help_text, summary))

    def render(self) -> str:
        sums: list[_Counts | _NamedSummary] = [*self._counts, *self._summaries]
        return "".join(one.render() for one in sums) + "".join(
            f"# HELP {gauge.name} {gauge.help}\n# TYPE {gauge.name} gauge\n"
            f"{gauge.name} {gauge.read():g}\n"
            for gauge in self._gauges
        )
