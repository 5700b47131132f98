"""Housekeeping: bounded work now and then, over fake tables."""

import asyncio

import pytest

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens import housekeeping
from edge.tokens.housekeeping import BATCH, INTERVAL_S, Housekeeping
from tests.support.fakes import Sleeps


class FakeTable:
    """So many rows that are of no more use; `is_away` is a store that cannot be reached."""

    def __init__(self, rows: int, *, is_away: bool = False) -> None:
        self.rows = rows
        self.is_away = is_away

    async def purge(self, most: int) -> int:
        if self.is_away:
            raise UnavailableError(Reason.STORE_UNAVAILABLE)
        count = min(most, self.rows)
        self.rows -= count
        return count


def nobody(_: UnavailableError) -> None:
    """Be told, where nothing fails or who is told does not matter."""


@pytest.mark.parametrize(
    ("rows", "left"), [(0, 0), (BATCH, 0), (20 * BATCH, 0), (20 * BATCH + 1, 1), (100_000, 90_000)]
)
async def test_a_round_is_bounded(rows: int, left: int) -> None:
    """Of each table twenty batches go at most; what is left waits for the next round."""
    one, other = FakeTable(rows), FakeTable(rows)
    purged = await Housekeeping(one, other, failed=nobody).purge()
    assert (one.rows, other.rows) == (left, left)
    assert purged == 2 * (rows - left)


async def test_a_table_that_is_away_is_told_of_and_passed_over() -> None:
    """What cannot be purged now holds nothing else up, and nothing is raised."""
    failures: list[UnavailableError] = []
    away, other = FakeTable(7, is_away=True), FakeTable(7)
    assert await Housekeeping(away, other, failed=failures.append).purge() == 7
    assert [failure.reason for failure in failures] == [Reason.STORE_UNAVAILABLE]


async def test_it_is_done_about_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """For ever, also after an outage; replicas that start together drift apart."""
    sleeps, table = Sleeps(), FakeTable(0)
    sleeps.replace_in(housekeeping, monkeypatch)
    task = asyncio.create_task(Housekeeping(table, failed=nobody).run())
    pauses = [await sleeps.next()]
    for round_ in range(20):
        table.rows, table.is_away = 3, round_ == 0
        sleeps.wake()
        pauses.append(await sleeps.next())
        assert table.rows == (3 if round_ == 0 else 0)
    assert all(0.5 * INTERVAL_S <= pause <= 1.5 * INTERVAL_S for pause in pauses)
    assert len(set(pauses)) > 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
