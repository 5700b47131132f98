"""The knee: the last step that kept up, before one that did not."""

from collections.abc import Sequence
from xml.etree.ElementTree import fromstring

import pytest

from loadtests.capacity import Capacity, as_markdown, capacity_of, is_saturated
from loadtests.charts import capacity_svg
from loadtests.ledger import Slot

COUNTED_S = 10.0


def steps(*given: tuple[int, int, float], lag_ms: float = 0.1) -> Capacity:
    """Make steps of what was offered and achieved a second, and how long it took."""
    slots = {
        number: Slot(
            offered=offered * 10,
            achieved=achieved * 10,
            latency={latency_ms: achieved * 10},
            lag={lag_ms: offered * 10},
        )
        for number, (offered, achieved, latency_ms) in enumerate(given)
    }
    return capacity_of(slots, COUNTED_S)


GROWING = [(100, 100, 2.0), (200, 200, 2.5), (300, 298, 4.0), (400, 320, 900.0), (500, 310, 5e3)]


def test_the_knee_is_the_last_step_that_kept_up() -> None:
    """What was answered there is what Edge can do."""
    capacity = steps(*GROWING)
    assert capacity.knee == 2
    assert capacity.as_json()["knee_per_s"] == 298
    assert "knee is at 298" in capacity.note


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (GROWING[:3], "the last step kept up: ask more"),
        (GROWING[3:], "not even the first step kept up: ask less"),
    ],
)
def test_without_a_knee_it_is_said_why(given: Sequence[tuple[int, int, float]], note: str) -> None:
    """Too little was asked, or too much."""
    capacity = steps(*given)
    assert (capacity.knee, capacity.note) == (None, note)


def test_a_step_with_bad_luck_is_no_knee() -> None:
    """More was asked later, and kept up with."""
    blip = (250, 200, 300.0)
    assert steps(*GROWING[:2], blip, *GROWING[2:]).knee == 3
    assert steps(*GROWING[:2], blip, GROWING[2]).note == "the last step kept up: ask more"


def test_waiting_alone_makes_a_knee() -> None:
    """All are answered, but only after a long time."""
    assert steps((100, 100, 2.0), (200, 200, 21.0)).knee == 0


def test_a_run_ends_when_three_steps_did_not_keep_up() -> None:
    """Two may be bad luck, and more would show nothing new."""
    beyond = [(400, 320, 900.0), (500, 310, 5e3), (600, 300, 9e3)]
    slots = {
        number: Slot(offered=offered * 10, achieved=achieved * 10, latency={latency_ms: 1})
        for number, (offered, achieved, latency_ms) in enumerate([*GROWING[:3], *beyond])
    }
    saturated = [
        is_saturated({number: slots[number] for number in range(count)}, COUNTED_S)
        for count in range(len(slots) + 1)
    ]
    assert saturated == [False] * 6 + [True]


def test_a_generator_that_is_slow_itself_finds_no_knee() -> None:
    """Most of the waiting was its own."""
    capacity = steps(*GROWING, lag_ms=800)
    assert (capacity.knee, capacity.is_generators_fault) == (None, True)


@pytest.mark.parametrize("given", [GROWING, GROWING[:1], [(10, 0, 0.0)], [(10, 90, 1.0)]])
def test_the_picture_has_all_curves_and_the_knee(given: list[tuple[int, int, float]]) -> None:
    """It is well-formed, and draws nothing outside of itself."""
    capacity = steps(*given)
    root = fromstring(capacity_svg(capacity, "steady_verify"))  # noqa: S314  # our own
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}polyline")) == 4
    assert len(root.findall(f"{space}circle")) == 4 * len(given)
    knees = [line for line in root.findall(f"{space}line") if line.get("class") == "k"]
    assert len(knees) == (0 if capacity.knee is None else 2)
    for circle in root.findall(f"{space}circle"):
        assert 70 <= float(circle.attrib["cx"]) <= 610
        assert 40 <= float(circle.attrib["cy"]) <= 555


def test_the_table_marks_the_knee() -> None:
    """In the row of its step."""
    lines = as_markdown(steps(*GROWING)).splitlines()
    assert [line for line in lines if "knee |" in line] == ["| 300 | 298 | 4 | 4 | 4 | knee |"]
