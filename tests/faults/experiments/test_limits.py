"""F15: many requests at once on one limit, over both replicas."""

import pytest

from tests.support.experiment import IS_THOROUGH, experiment
from tests.support.outcomes import Ask
from tests.support.rounds import LIMIT, hit_at_once

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

# How many rounds of how many hits.
ROUNDS = {100: 50, 1000: 5} if IS_THOROUGH else {100: 4}


async def test_f15_exactly_as_many_as_fit_get_in(port: int, asks: list[Ask]) -> None:
    """In each round as many as the limit, however many come at the same moment."""
    hits_at_once = " and ".join(map(str, ROUNDS))
    async with experiment(
        f"F15 {hits_at_once} hits at once on a limit of {LIMIT}", port, asks
    ) as running:
        admitted = [
            await hit_at_once(running, hits)
            for hits, rounds in ROUNDS.items()
            for _ in range(rounds)
        ]
    running.report.assert_nothing_is_lost()
    assert set(admitted) == {LIMIT}
