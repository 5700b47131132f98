"""How the load goes over a run."""

from typing import get_args

import pytest

from loadtests.shapes import share_at, users_at
from loadtests.terms import ShapeName


@pytest.mark.parametrize(
    ("shape", "shares"),
    [
        # at 0, 15, 30, 31, 35, 59, 61 and 90 s of 90 s
        ("constant", [1, 1, 1, 1, 1, 1, 1, 1]),
        ("ramp", [0.01, 1 / 6, 1 / 3, 31 / 90, 35 / 90, 59 / 90, 61 / 90, 1]),
        ("spike", [0.1, 0.1, 0.1, 0.28, 1, 1, 0.1, 0.1]),
        ("step", [0.1, 0.2, 0.4, 0.4, 0.4, 0.7, 0.7, 1]),
        ("soak", [0.01, 1, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_a_shape_is_what_its_name_says(shape: ShapeName, shares: list[float]) -> None:
    """A spike is ten times what was before within five seconds; steps are as high as each other."""
    moments = [0, 15, 30, 31, 35, 59, 61, 90]
    assert [share_at(shape, at_s, 90) for at_s in moments] == pytest.approx(shares)


def test_a_day_is_quiet_at_night_and_full_before_noon() -> None:
    """And in the evening fuller than in the afternoon."""
    night, noon, afternoon, evening = (share_at("day", hour, 24) for hour in (3, 11, 16, 20))
    assert night < afternoon < evening < noon == 1


@pytest.mark.parametrize("shape", get_args(ShapeName))
def test_no_shape_is_ever_empty_or_more_than_full(shape: ShapeName) -> None:
    """Users that are there all the time do not count for it, and one other is always there."""
    shares = [share_at(shape, at_s / 10, 60) for at_s in range(620)]
    assert min(shares) > 0
    assert max(shares) <= 1
    assert {users_at(share, users=11, fixed=1) for share in shares} <= set(range(2, 12))
    assert users_at(1, users=11, fixed=1) == 11
