"""The text format of Prometheus, out of what all workers have counted. Pure."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from edge.telemetry.board import Reading
from edge.telemetry.catalogue import BY_NAME, METRICS, SILENCE, WORKERS, Metric

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[str, ...]
Numbers = list[float]

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def render(readings: Iterable[Reading], now_s: float) -> str:
    """Give the text; `now_s` is by the clock of the workers."""
    readings = list(readings)
    merged: dict[str, dict[Labels, Numbers]] = {metric.name: {} for metric in METRICS}
    for reading in readings:
        _merge(merged, reading)
    seen_s = [one.region.seen_at_s for one in readings if one.is_alive and one.region.seen_at_s]
    merged[WORKERS.name][()] = [float(len(seen_s))]
    if seen_s:
        merged[SILENCE.name][()] = [now_s - min(seen_s)]
    return "".join(
        line for metric in METRICS for line in _lines(metric, sorted(merged[metric.name].items()))
    )


def _merge(merged: dict[str, dict[Labels, Numbers]], reading: Reading) -> None:
    for series, at in reading.region.places.items():
        metric = BY_NAME[series.name]
        if metric.kind == "gauge" and not reading.is_alive:
            continue
        numbers = list(reading.region.numbers[at : at + series.width])
        known = merged[series.name].get(series.labels)
        if known is not None:
            pairs = zip(known, numbers, strict=True)
            numbers = [max(pair) if metric.merge == "max" else sum(pair) for pair in pairs]
        merged[series.name][series.labels] = numbers


def _lines(metric: Metric, series: Iterable[tuple[Labels, Numbers]]) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n"
    for values, numbers in series:
        labels = dict(zip(metric.labels, values, strict=True))
        match metric.kind:
            case "counter" | "gauge":
                yield _line(metric.name, labels, numbers[0])
            case "summary":
                yield _line(f"{metric.name}_sum", labels, numbers[0])
                yield _line(f"{metric.name}_count", labels, numbers[1])
            case "histogram":
                yield from _histogram(metric, labels, numbers)


def _histogram(metric: Metric, labels: dict[str, str], numbers: Numbers) -> Iterator[str]:
    *buckets, total = numbers
    upto = list(accumulate(buckets))
    bounds = [*map(_number, metric.bounds), "+Inf"]
    for bound, count in zip(bounds, upto, strict=True):
        yield _line(f"{metric.name}_bucket", {**labels, "le": bound}, count)
    yield _line(f"{metric.name}_sum", labels, total)
    yield _line(f"{metric.name}_count", labels, upto[-1])


def _line(name: str, labels: dict[str, str], value: float) -> str:
    pairs = [f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items()]
    named = f"{name}{{{','.join(pairs)}}}" if pairs else name
    return f"{named} {_number(value)}\n"


def _number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else repr(value)
