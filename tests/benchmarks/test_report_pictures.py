"""Pictures: what stands where, and what a listener gets."""

import math
from xml.etree import ElementTree as ET

import pytest

from benchmarks.report import svg
from benchmarks.report.bars import bars
from benchmarks.report.drawing import Picture
from benchmarks.report.forest import forest, scatter
from benchmarks.report.growth import curves, growth
from benchmarks.results import Comparison, GrowthPoint, Interval, Ratio, Report, Verdict
from tests.support.benchmark_results import case, comparison, curve, every_verdict, measured, ran

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture: Picture) -> ET.Element:
    return ET.fromstring(picture.inline())  # noqa: S314  # drawn right here


def dots(root: ET.Element) -> dict[str, float]:
    """Give the place of each dot by the name of its case."""
    return {
        (path.findtext(f"{SVG}title") or "").partition(":")[0]: float(
            path.attrib["transform"].removeprefix("translate(").split()[0]
        )
        for path in root.iter(f"{SVG}path")
    }


def lines(root: ET.Element, class_: str) -> list[tuple[float, float]]:
    return [
        (float(line.attrib["x1"]), float(line.attrib["x2"]))
        for line in root.iter(f"{SVG}line")
        if line.attrib["class"] == class_
    ]


def test_equal_ratios_are_equally_far_from_none() -> None:
    """The axis is logarithmic: twice as fast is as far as twice as slow, and slower is right."""
    root = drawn(
        forest(comparison([case("slower", change=0.1), case("faster", change=1 / 1.1 - 1)]))
    )
    ((zero, _),) = lines(root, "zero")
    found = dots(root)

    assert found["slower"] - zero == pytest.approx(zero - found["faster"], abs=0.11)
    assert found["slower"] > zero


def test_dots_lie_where_their_ratio_is() -> None:
    """Distances from none are those of the logarithms."""
    changes = {"a": 0.02, "b": 0.05, "c": -0.08}
    root = drawn(forest(comparison([case(name, change=one) for name, one in changes.items()])))
    ((zero, _),) = lines(root, "zero")
    unit = (dots(root)["b"] - zero) / math.log(1.05)

    for name, change in changes.items():
        assert dots(root)[name] - zero == pytest.approx(unit * math.log(1 + change), abs=0.2)


def test_the_margin_is_shaded_around_none_and_the_interval_drawn_over_it() -> None:
    """Each case has the margin of its kind; an interval reaches from its low to its high end."""
    one = case("a", change=0.0, margin=0.03, ratio=Interval(1.0, 1 / 1.03, 1.03))
    root = drawn(forest(comparison([one])))
    (band,) = [rect for rect in root.iter(f"{SVG}rect") if rect.attrib["class"] == "band"]
    left, width = float(band.attrib["x"]), float(band.attrib["width"])
    ((zero, _),) = lines(root, "zero")

    assert zero - left == pytest.approx(width / 2, abs=0.11)
    assert lines(root, "stroke plain") == [pytest.approx((left, left + width), abs=0.11)]


def test_what_lies_beyond_the_axis_points_on() -> None:
    """One case that is three times as slow does not flatten the others."""
    far = case("far", Verdict.REGRESSED, ratio=Interval(3.0, 2.9, 3.1))
    root = drawn(forest(comparison([case("near", change=0.05), far])))
    ((zero, _),) = lines(root, "zero")
    edge = dots(root)["far"]
    ends = [one.attrib["points"] for one in root.iter(f"{SVG}polyline")][:2]

    assert dots(root)["near"] - zero > (edge - zero) / 10
    assert all(f" {edge:.1f}," in end and f"{edge - 4:.1f}," in end for end in ends[1:])


def test_each_pair_is_a_speck() -> None:
    """In the row of its case, from top to bottom in the order they were measured."""
    result = every_verdict()
    root = drawn(scatter(result))
    specks = list(root.iter(f"{SVG}circle"))
    first = [float(one.attrib["cy"]) for one in specks[:12]]

    assert len(specks) == sum(len(one.pairs) for one in result.cases)
    assert first == sorted(first)


def test_each_verdict_has_a_shape_and_its_word() -> None:
    """Who sees no colours sees the verdict."""
    verdicts = [Verdict.REGRESSED, Verdict.OK, Verdict.IMPROVED, Verdict.INCONCLUSIVE]
    root = drawn(forest(comparison([case(one, one) for one in verdicts])))
    shapes = {path.attrib["d"] for path in root.iter(f"{SVG}path")}
    words = {text.text for text in root.iter(f"{SVG}text")}

    assert len(shapes) == len(verdicts)
    assert {str(one) for one in verdicts} <= words


def test_bars_are_as_long_as_their_times() -> None:
    """The case is in the middle, a floor shorter by the multiple, a peer longer by its own."""
    root = ET.fromstring(svg(ran()))  # noqa: S314  # drawn right here
    widths = [
        float(one.attrib["width"])
        for one in root.iter(f"{SVG}rect")
        if one.attrib["class"].startswith("fill")
    ][:4]
    floor, own, joserfc, pyjwt = widths

    assert own / floor == pytest.approx(3.32, rel=0.01)
    assert joserfc / own == pytest.approx(4.0, rel=0.01)
    assert pyjwt / own == pytest.approx(6.99, rel=0.01)


def test_what_is_flat_is_drawn_flat() -> None:
    """Time starts at zero, so that three percent look like three percent."""

    def rise(points: dict[int, float]) -> float:
        line = next(drawn(growth(curve("of", points), "g")).iter(f"{SVG}polyline"))
        heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
        return max(heights) - min(heights)

    assert rise({0: 1000, 10: 1010, 1000: 1030}) < 5
    assert rise({0: 1000, 10: 2000, 1000: 3000}) > 80


def test_an_interval_that_is_very_wide_does_not_flatten_the_rest() -> None:
    """It points on at the edge; bars and curves keep their room."""
    wide = Interval(1000.0, 10.0, 1e6)
    report = Report(
        environment=ran().environment,
        side=ran().side,
        cases=[measured("a/b", 1000.0)],
        ratios=[Ratio("a/b", "peer/c", "peer", Interval(0.5, 0.001, 0.6))],
        growth=[GrowthPoint("of", 1, wide), GrowthPoint("of", 2, wide)],
    )
    peer = list(drawn(bars(report)).iter(f"{SVG}rect"))[-1]
    line = next(drawn(growth(report.growth, "g")).iter(f"{SVG}polyline"))

    assert float(peer.attrib["width"]) > 200
    assert float(line.attrib["points"].split(",")[1].split()[0]) < 130


def test_curves_are_told_apart_and_sorted_by_size() -> None:
    """In whatever order the points come."""
    mixed = Report(
        environment=ran().environment,
        side=ran().side,
        cases=[],
        ratios=[],
        growth=[*curve("b", {100: 1.0, 1: 1.0}), *curve("a", {5: 1.0})],
    )

    assert [[(one.curve, one.size) for one in found] for found in curves(mixed)] == [
        [("a", 5)],
        [("b", 1), ("b", 100)],
    ]


NOTHING = comparison([], Verdict.FAILED, control=[])
EMPTY = Report(environment=ran().environment, side=ran().side, cases=[], ratios=[])
ODD = comparison([case("a", ratio=Interval(1.0, 0.0, math.inf)), case("<&>\x00\x1b\ufffe" * 9)])


@pytest.mark.parametrize("result", [every_verdict(), ran(), NOTHING, EMPTY, ODD])
def test_a_picture_is_a_file_that_a_listener_can_use(result: Comparison | Report) -> None:
    """It is an image with a name and a description, and loads nothing."""
    text = svg(result)
    root = ET.fromstring(text)  # noqa: S314  # drawn right here
    known = {one.attrib["id"]: one.text for one in root if "id" in one.attrib}

    assert root.attrib["role"] == "img"
    assert all(known[name] for name in root.attrib["aria-labelledby"].split())
    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text
    assert "href" not in text
    assert "nan" not in text.lower()
