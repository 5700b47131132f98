"""Keeping the view of revocations fresh, over a fake change list."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import pytest

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens import revocation_reader
from edge.tokens.revocation_reader import RevocationReader
from edge.tokens.revocations import Change, Changes
from tests.support.fakes import FakeClock, Sleeps, make_token

TOKEN = make_token()


class FakeLog:
    """A change list in memory; `gate` holds readers up, `fault` sends them away."""

    def __init__(self) -> None:
        self.rows: list[Change] = []
        self.now_ms = 1_000_000
        self.asked: list[int | None] = []
        self.fault: Exception | None = None
        self.gate: Callable[[], Awaitable[object]] | None = None

    async def since(self, recorded_at_ms: int | None) -> Changes:
        self.asked.append(recorded_at_ms)
        rows, now_ms = tuple(self.rows), self.now_ms
        if self.gate is not None:
            await self.gate()
        if self.fault is not None:
            raise self.fault
        return Changes(rows, now_ms)

    def revoke(self) -> None:
        self.rows.append(
            Change(
                kind="session",
                issuer="",
                subject=str(TOKEN.session),
                epoch=None,
                expires_at_ms=self.now_ms + 900_000,
            )
        )


async def until(condition: Callable[[], bool]) -> None:
    """Let the tasks go on until something is true."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)


class House:
    def __init__(
        self, on_outage: Literal["serve", "refuse"] = "serve", longest_write_s: float = 0.3
    ) -> None:
        self.log = FakeLog()
        self.clock = FakeClock(50.0)
        self.keys_changed = 0
        self.outages = 0
        self.published = 0
        self.reader = RevocationReader(
            self.log,
            bound_s=1.0,
            longest_write_s=longest_write_s,
            on_outage=on_outage,
            clock=self.clock,
            keys_changed=self._note_keys,
            unavailable=self._note_outage,
            publish=self._publish,
        )

    def _note_keys(self) -> None:
        self.keys_changed += 1

    def _note_outage(self) -> None:
        self.outages += 1

    async def _publish(self) -> None:
        self.published += 1


@pytest.mark.parametrize(
    ("longest_write_s", "overlap_ms"),
    [(0.3, 10_000), (10.0, 10_000), (10.0004, 10_001), (180.0, 180_000)],
)
async def test_the_first_read_is_of_all_and_later_ones_overlap(
    longest_write_s: float, overlap_ms: int
) -> None:
    """The list is read whole once, then from before the longest write that may have been open."""
    house = House(longest_write_s=longest_write_s)
    await house.reader.read()
    house.log.now_ms += 500
    await house.reader.read()
    await house.reader.read()
    start = 1_000_000
    assert house.log.asked == [None, start - overlap_ms, start + 500 - overlap_ms]


async def test_what_was_revoked_is_known_after_a_read() -> None:
    """A row kills its tokens from the read that brings it."""
    house = House()
    await house.reader.read()
    house.log.revoke()
    assert not house.reader.is_revoked(TOKEN)
    await house.reader.read()
    assert house.reader.is_revoked(TOKEN)
    assert len(house.reader) == 1


async def test_the_lag_is_the_age_of_the_view() -> None:
    """The lag grows with the clock and starts again with a complete read, not with a failed one."""
    house = House()
    await house.reader.read()
    house.clock.now += 0.75
    assert house.reader.lag_s == 0.75
    house.log.fault = UnavailableError(Reason.STORE_UNAVAILABLE)
    with pytest.raises(UnavailableError):
        await house.reader.read()
    assert house.reader.lag_s == 0.75
    house.log.fault = None
    await house.reader.read()
    assert house.reader.lag_s == 0.0


async def test_a_view_is_as_old_as_the_beginning_of_its_read() -> None:
    """What is revoked while a read goes on may be missing in it, so its age counts from before."""
    house = House("refuse")

    async def take_long() -> None:
        house.clock.forward(1.25)

    house.log.gate = take_long
    await house.reader.read()
    assert house.reader.lag_s == 1.25
    with pytest.raises(UnavailableError):
        house.reader.is_revoked(TOKEN)


@pytest.mark.parametrize(
    ("read_s", "pause_s"),
    [(0.0, 0.5), (0.25, 0.25), (0.375, 0.125), (0.5, 0.1), (20.0, 0.1)],
)
async def test_it_reads_every_half_bound(
    monkeypatch: pytest.MonkeyPatch, read_s: float, pause_s: float
) -> None:
    """Reads begin half a bound after one another, or soon after one that took longer than that."""
    house = House()
    pauses = Sleeps()
    pauses.replace_in(revocation_reader, monkeypatch, "timeout")

    async def take_a_while() -> None:
        house.clock.forward(read_s)

    house.log.gate = take_a_while
    task = asyncio.create_task(house.reader.run())
    for round_ in range(1, 4):
        pause = await pauses.next()
        assert pause == pytest.approx(pause_s)
        assert len(house.log.asked) == round_
        house.clock.forward(pause)
        pauses.wake()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(("age_s", "is_too_old"), [(0.5, False), (1.0, False), (1.001, True)])
async def test_an_old_view_is_refused_where_asked_to(age_s: float, is_too_old: bool) -> None:  # noqa: FBT001  # a column of the table
    """With `refuse`, a view older than the bound is a fault, never an answer; 503, not 401."""
    house = House("refuse")
    await house.reader.read()
    house.clock.now += age_s
    if not is_too_old:
        assert not house.reader.is_revoked(TOKEN)
        return
    with pytest.raises(UnavailableError) as caught:
        house.reader.is_revoked(TOKEN)
    assert caught.value.reason is Reason.REVOCATIONS_UNAVAILABLE


async def test_an_old_view_serves_where_asked_to() -> None:
    """With `serve`, what was known last decides, however old it is."""
    house = House("serve")
    house.log.revoke()
    await house.reader.read()
    house.clock.now += 3600
    assert house.reader.is_revoked(TOKEN)
    assert not house.reader.is_revoked(make_token(sid="another"))


async def test_whoever_announces_waits_for_a_read_that_began_later() -> None:
    """A hundred that announce while a read goes on share one more read, and each is in it."""
    house = House()
    await house.reader.read()
    is_open = asyncio.Event()
    house.log.gate = is_open.wait
    before = asyncio.create_task(house.reader.read())
    await until(lambda: len(house.log.asked) == 2)
    house.log.revoke()
    waiting = [asyncio.create_task(house.reader.announce()) for _ in range(100)]
    await asyncio.sleep(0)
    is_open.set()
    await asyncio.gather(before, *waiting)
    assert len(house.log.asked) == 3
    assert house.reader.is_revoked(TOKEN)
    assert house.published == 100


async def test_an_announcement_never_fails() -> None:
    """What was revoked is in the database; that it cannot be read now is told as an outage."""
    house = House()
    await house.reader.read()
    house.log.fault = UnavailableError(Reason.STORE_UNAVAILABLE)
    await house.reader.announce()
    await house.reader.announce()
    assert (house.outages, house.published) == (1, 2)


async def test_a_process_that_serves_nothing_reads_nothing() -> None:
    """The command line announces too, and costs no read of the whole list."""
    house = House()
    await house.reader.announce()
    assert house.log.asked == []


async def test_changed_keys_are_told_once() -> None:
    """A key's row is told of when it appears, not again while it overlaps, nor at the start."""
    house = House()
    key = Change(kind="key", issuer="", subject="old", epoch=None, expires_at_ms=2_000_000)
    house.log.rows = [key]
    await house.reader.read()
    assert house.keys_changed == 0
    new = Change(kind="key", issuer="", subject="new", epoch=None, expires_at_ms=2_000_000)
    house.log.rows = [key, new]
    await house.reader.read()
    await house.reader.read()
    assert house.keys_changed == 1
    assert len(house.reader) == 0


async def test_it_goes_on_reading_through_an_outage_and_when_woken() -> None:
    """The task reads at once, when woken, and after any failure; an outage is told once."""
    house = House()
    task = asyncio.create_task(house.reader.run())
    await until(lambda: len(house.log.asked) == 1)
    house.log.fault = UnavailableError(Reason.STORE_UNAVAILABLE)
    house.reader.wake()
    await until(lambda: len(house.log.asked) == 2)
    house.reader.wake()
    await until(lambda: len(house.log.asked) == 3)
    house.log.fault = None
    house.log.revoke()
    house.reader.wake()
    await until(lambda: house.reader.is_revoked(TOKEN))
    assert house.outages == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
