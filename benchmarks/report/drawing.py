"""What charts are drawn of, in SVG: scales, axes, bands, dots, intervals, bars and curves.

All colours are classes of `theme.css`, so that light, dark and paper need no other picture.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.report.markup import Markup, lines, tag
from benchmarks.report.summary import Shape

THEME: Final = Path(__file__).with_name("theme.css").read_text()

FONT: Final = 12
# Wide enough for the widest of the monospaced fonts that browsers come with.
_LETTER: Final = 0.62 * FONT
_RADIUS: Final = 4.5
_TICK: Final = 4
_MARGIN: Final = 16  # around a picture that is a file


class Scale(msgspec.Struct, frozen=True):
    """Where values are drawn: `low` at `left`, `high` at `left + width`; beyond is the edge."""

    low: float
    high: float
    left: float
    width: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Give the place of a value."""
        seen = min(max(value, self.low), self.high)
        low, high, here = (self._turned(one) for one in (self.low, self.high, seen))
        return self.left + self.width * (here - low) / (high - low)

    def holds(self, value: float) -> bool:
        """Whether a value is within, and not beyond the edge."""
        return self.low <= value <= self.high

    def _turned(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


class Picture(msgspec.Struct, frozen=True):
    """A drawing with what it is called and what a listener is told of it."""

    name: str  # of its elements: one a page
    title: str
    description: str
    width: float
    height: float
    parts: Sequence[Markup]

    def inline(self) -> Markup:
        """Give it for a page that has the theme."""
        return self._drawn([], margin=0)

    def file(self) -> str:
        """Give it as a file of its own."""
        ground = tag("rect", class_="paper", x=-_MARGIN, y=-_MARGIN, width="100%", height="100%")
        style = tag("style", Markup(THEME))
        drawn = self._drawn([style, ground], margin=_MARGIN)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{drawn}\n'

    def _drawn(self, before: Sequence[Markup], margin: int) -> Markup:
        width, height = (round(one + 2 * margin) for one in (self.width, self.height))
        title, description = f"{self.name}-title", f"{self.name}-description"
        return tag(
            "svg",
            tag("title", self.title, id=title),
            tag("desc", self.description, id=description),
            lines("", *before, *self.parts, ""),
            xmlns="http://www.w3.org/2000/svg",
            role="img",
            aria_labelledby=f"{title} {description}",
            viewBox=f"{-margin} {-margin} {width} {height}",
            width=str(width),
            height=str(height),
        )


def text(x: float, y: float, content: str, *, anchor: str = "start", class_: str = "") -> Markup:
    """Write beside (x, y), with the middle of its letters at y."""
    return tag("text", content, x=x, y=y + FONT / 3, text_anchor=anchor, class_=f"text {class_}")


def room_for(labels: Iterable[str]) -> float:
    """Give the width that labels need."""
    return max((len(label) for label in labels), default=0) * _LETTER


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draw a line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def band(scale: Scale, low: float, high: float, top: float, bottom: float) -> Markup:
    """Shade what lies between two values."""
    left, right = scale.at(low), scale.at(high)
    return tag("rect", x=left, y=top, width=right - left, height=bottom - top, class_="band")


def axis(
    scale: Scale, ticks: Iterable[tuple[float, str]], top: float, bottom: float
) -> Iterable[Markup]:
    """Draw a line down from each tick, and its label above."""
    for value, label in ticks:
        x = scale.at(value)
        yield line(x, top - _TICK, x, bottom, "grid")
        yield text(x, top - _TICK - FONT * 0.8, label, anchor="middle", class_="muted")


def interval(scale: Scale, low: float, high: float, y: float, tone: str) -> Iterable[Markup]:
    """Draw a confidence interval: its ends are closed, or point on where they lie beyond."""
    left, right = scale.at(low), scale.at(high)
    yield line(left, y, right, y, f"stroke {tone}")
    for x, value, way in ((left, low, -1), (right, high, 1)):
        reach = way * _TICK * (0 if scale.holds(value) else -1)
        points = f"{x + reach:.1f},{y - _TICK} {x:.1f},{y} {x + reach:.1f},{y + _TICK}"
        yield tag("polyline", points=points, class_=f"stroke {tone}")


def dot(x: float, y: float, shape: Shape, tone: str, label: str) -> Markup:
    """Draw a value in the shape of its verdict; `label` is shown where a pointer rests on it."""
    r = _RADIUS
    outlines = {
        "up": f"M{-r},{r}L0,{-r}L{r},{r}Z",
        "down": f"M{-r},{-r}L0,{r}L{r},{-r}Z",
        "diamond": f"M{-r},0L0,{-r}L{r},0L0,{r}Z",
        "cross": f"M{-r},{-r}L{r},{r}M{-r},{r}L{r},{-r}",
        "plus": f"M{-r},0L{r},0M0,{-r}L0,{r}",
        "minus": f"M{-r},0L{r},0",
        "disc": f"M{-r},0A{r},{r} 0 1 0 {r},0A{r},{r} 0 1 0 {-r},0Z",
    }
    place = f"translate({x:.1f} {y:.1f})"
    kind = f"stroke fill {tone}"
    return tag("path", tag("title", label), d=outlines[shape], transform=place, class_=kind)


def speck(x: float, y: float, tone: str, label: str) -> Markup:
    """Draw one of many values."""
    return tag("circle", tag("title", label), cx=x, cy=y, r=2.2, class_=f"speck {tone}")


def bar(scale: Scale, value: float, y: float, height: float, tone: str) -> Markup:
    """Draw a bar from the start of the scale; a small value is seen too."""
    width = max(scale.at(value) - scale.left, 1.0)
    return tag(
        "rect", x=scale.left, y=y - height / 2, width=width, height=height, class_=f"fill {tone}"
    )


def curve(points: Sequence[tuple[float, float]], tone: str) -> Markup:
    """Draw a line through points."""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return tag("polyline", points=through, class_=f"stroke {tone}")
