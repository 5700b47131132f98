"""F15: many requests at once on one limit, over both replicas."""

import pytest

from tests.support.experiment import IS_THOROUGH, experiment
from tests.support.outcomes import Ask
from tests.support.rounds import LIMIT, hit_at_once

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

# How many rounds of how many hits.
ROUNDS = {100: 50, 500: 4} if IS_THOROUGH else {100: 4}


async def test_f15_exactly_as_many_as_fit_get_in(url: str, asks: list[Ask]) -> None:
    """In each round as many as the limit, however many come at the same moment."""
    async with experiment(
        f"F15 100 and more hits at once on a limit of {LIMIT}", url, asks
    ) as running:
        admitted = [
            await hit_at_once(running, hits)
            for hits, rounds in ROUNDS.items()
            for _ in range(rounds)
        ]
    running.report.assert_nothing_is_lost()
    assert set(admitted) == {LIMIT}
