"""Counting in one process: each number is written to its place as soon as it is known."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable
from typing import Final, TypeVar

from edge.telemetry.board import Board, Reading, Region, Series, private_region
from edge.telemetry.catalogue import Metric
from edge.telemetry.exposition import render

# Scrapes are further apart.
_PUBLISH_S: Final = 1.0

_Any = TypeVar("_Any", bound="_Numbers")


class _Numbers:
    """The numbers of one series."""

    __slots__ = ("_at", "_numbers")

    def __init__(self, region: Region, series: Series) -> None:
        self.move(region, series)

    def move(self, region: Region, series: Series) -> None:
        self._numbers = region.numbers
        self._at = region.place(series)


class Count(_Numbers):
    """A number that only grows."""

    __slots__ = ()

    def add(self, amount: float = 1.0) -> None:
        self._numbers[self._at] += amount


class Level(_Numbers):
    """A number that goes up and down."""

    __slots__ = ()

    def set(self, value: float) -> None:
        self._numbers[self._at] = value


class Summary(_Numbers):
    """How often something was observed, and the sum of what was: the mean follows from both."""

    __slots__ = ()

    def observe(self, value: float) -> None:
        self._numbers[self._at] += value
        self._numbers[self._at + 1] += 1.0


class Histogram(_Numbers):
    """How often something was observed up to each bound, and the sum of what was."""

    __slots__ = ("_bounds",)

    def __init__(self, region: Region, series: Series, bounds: tuple[float, ...]) -> None:
        super().__init__(region, series)
        self._bounds = bounds

    def observe(self, value: float) -> None:
        numbers, at, bounds = self._numbers, self._at, self._bounds
        numbers[at + bisect_left(bounds, value)] += 1.0
        numbers[at + len(bounds) + 1] += value


class Counts:
    """One metric: its counts by the values of its labels."""

    def __init__(self, metrics: "Metrics", metric: Metric) -> None:
        self._metrics = metrics
        self._metric = metric
        self._by_labels: dict[tuple[str, ...], Count] = {}

    def add(self, *labels: str) -> None:
        count = self._by_labels.get(labels)
        if count is None:
            count = self._by_labels[labels] = self._metrics.count(self._metric, *labels)
        count.add()


class Metrics:
    """The metrics of one process. `clock` is monotonic, in seconds.

    Counts for itself alone until it joins a board.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._region = private_region()
        self._board: Board | None = None
        self._all: dict[Series, _Numbers] = {}
        self._gauges: list[tuple[Level, Callable[[], float]]] = []

    def count(self, metric: Metric, *labels: str) -> Count:
        return self._find(metric, labels, Count)

    def counts(self, metric: Metric) -> Counts:
        return Counts(self, metric)

    def summary(self, metric: Metric) -> Summary:
        return self._find(metric, (), Summary)

    def histogram(self, metric: Metric, *labels: str) -> Histogram:
        return self._find(
            metric, labels, lambda region, series: Histogram(region, series, metric.bounds)
        )

    def add_gauge(self, metric: Metric, read: Callable[[], float], *labels: str) -> None:
        """Register a value that goes up and down; `read` must not wait."""
        self._gauges.append((self._find(metric, labels, Level), read))

    def join(self, board: Board) -> None:
        """Count on this board from now on; where it has no room, go on alone."""
        if self._board is board:
            return
        region = board.claim()
        if region is None:
            return
        before, self._region, self._board = self._region, region, board
        for series, at in before.places.items():
            self._all[series].move(region, series)
            to = region.place(series)
            for offset in range(series.width):
                region.numbers[to + offset] += before.numbers[at + offset]

    def publish(self) -> None:
        """Write down the gauges, for others to read."""
        for level, read in self._gauges:
            level.set(read())
        self._region.see(self.clock())

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            self.publish()
            await asyncio.sleep(_PUBLISH_S)

    def render(self) -> str:
        """Give what this process and those on its board have counted, for Prometheus."""
        self.publish()
        alone = [Reading(self._region, is_alive=True)]
        return render(self._board.read() if self._board else alone, self.clock())

    def _find(
        self,
        metric: Metric,
        labels: tuple[str, ...],
        make: Callable[[Region, Series], _Any],
    ) -> _Any:
        series = Series(metric.name, labels, metric.width)
        found = self._all.get(series)
        if found is None:
            found = self._all[series] = make(self._region, series)
        return found  # type: ignore[return-value]  # a metric is of one kind
