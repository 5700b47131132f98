"""The capacity report as a picture, in SVG: offered against achieved, and latency against rate."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from loadtests.capacity import Capacity, Step

_WIDTH: Final = 720
_HEIGHT: Final = 300
_LEFT: Final = 70
_TOP: Final = 40
_RIGHT: Final = 110
_BOTTOM: Final = 45
_BLUE, _GREEN, _ORANGE, _RED = "#1f77b4", "#2ca02c", "#ff7f0e", "#d62728"
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#222}.t{font-weight:bold}line,polyline{fill:none}"
    ".g{stroke:#dddddd}.k{stroke:#d62728;stroke-dasharray:2 3}"
    ".d{stroke:#888888;stroke-dasharray:6 4}"
)


@dataclass(frozen=True)
class _Panel:
    """Where a value is: `x` and `y` give pixels."""

    top: int
    x: Callable[[float], float]
    y: Callable[[float], float]


def capacity_svg(capacity: Capacity, title: str) -> str:
    most_x = max(step.offered for step in capacity.steps) * 1.05
    parts = [
        *_rates(capacity.steps, title, most_x),
        *_latencies(capacity.steps, most_x),
        *_knee(capacity, most_x),
    ]
    size = f'width="{_WIDTH}" height="{2 * _HEIGHT}" viewBox="0 0 {_WIDTH} {2 * _HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _rates(steps: Sequence[Step], title: str, most_x: float) -> Iterable[str]:
    # What was left of a step before may be answered in one: more than was asked.
    most_y = max(most_x, *(step.achieved * 1.05 for step in steps))
    panel = _Panel(0, _x(most_x), _linear(0, most_y))
    yield _text(_LEFT, 18, f"{title}: answered a second, by what was asked a second", "t")
    yield from _grid(panel, _ticks(most_x), _ticks(most_y))
    yield _line(panel, (0, 0), (most_x, most_x), "d")
    yield _curve(panel, [(step.offered, step.achieved) for step in steps], _BLUE, "achieved")


def _latencies(steps: Sequence[Step], most_x: float) -> Iterable[str]:
    values = [value for step in steps for value in (step.p50_ms, step.p99_ms) if value > 0]
    low = 10 ** math.floor(math.log10(min(values, default=1)))
    high = 10 ** math.ceil(math.log10(max(values, default=10)) + 1e-9)
    panel = _Panel(_HEIGHT, _x(most_x), _logarithmic(_HEIGHT, low, high))
    yield _text(_LEFT, _HEIGHT + 18, "Milliseconds from when a request was due, by the same", "t")
    decades = range(round(math.log10(low)), round(math.log10(high)) + 1)
    yield from _grid(panel, _ticks(most_x), [10.0**power for power in decades])
    for name, colour, down in (("p50", _GREEN, 12), ("p95", _ORANGE, 4), ("p99", _RED, -4)):
        points = [(step.offered, max(getattr(step, f"{name}_ms"), low)) for step in steps]
        yield _curve(panel, points, colour, name, down)


def _knee(capacity: Capacity, most_x: float) -> Iterable[str]:
    if capacity.knee is None:
        return
    step = capacity.steps[capacity.knee]
    x = _x(most_x)(step.offered)
    for top in (0, _HEIGHT):
        low = top + _HEIGHT - _BOTTOM
        yield f'<line class="k" x1="{x:.1f}" y1="{top + _TOP}" x2="{x:.1f}" y2="{low}"/>'
    yield _text(x + 4, _HEIGHT - _BOTTOM - 6, f"knee: {step.achieved:.0f}/s")


def _x(most: float) -> Callable[[float], float]:
    return lambda value: _LEFT + value / most * (_WIDTH - _LEFT - _RIGHT)


def _linear(top: int, most: float) -> Callable[[float], float]:
    return lambda value: top + _HEIGHT - _BOTTOM - value / most * (_HEIGHT - _TOP - _BOTTOM)


def _logarithmic(top: int, low: float, high: float) -> Callable[[float], float]:
    decades = math.log10(high / low)
    inner = _HEIGHT - _TOP - _BOTTOM
    return lambda value: top + _HEIGHT - _BOTTOM - math.log10(value / low) / decades * inner


def _ticks(most: float) -> list[float]:
    """Give about five round numbers from 0 on."""
    raw = most / 5
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= raw)
    return [step * number for number in range(int(most / step) + 1)]


def _grid(panel: _Panel, xs: Sequence[float], ys: Sequence[float]) -> Iterable[str]:
    for x in xs:
        yield _text(panel.x(x), panel.top + _HEIGHT - _BOTTOM + 18, f"{x:g}", anchor="middle")
    for y in ys:
        yield _line(panel, (0, y), None, "g")
        yield _text(_LEFT - 8, panel.y(y) + 4, f"{y:g}", anchor="end")


def _line(
    panel: _Panel, begin: tuple[float, float], end: tuple[float, float] | None, kind: str
) -> str:
    x1, y1 = panel.x(begin[0]), panel.y(begin[1])
    x2, y2 = (panel.x(end[0]), panel.y(end[1])) if end else (_WIDTH - _RIGHT, y1)
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _curve(
    panel: _Panel, points: Sequence[tuple[float, float]], colour: str, name: str, down: int = 4
) -> str:
    places = [(panel.x(x), panel.y(y)) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    label = _text(_WIDTH - _RIGHT + 8, places[-1][1] + down, name)
    return f'<polyline points="{path}" stroke="{colour}" stroke-width="2"/>{dots}{label}'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    attributes = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{text}</text>'
