"""Sharing round trips: counted with lanes that answer when they are told to."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from edge.faults import UnavailableError
from edge.ratelimit.charge import Charge, Outcome, Quota, Request, Verdict
from edge.ratelimit.ports import Done
from edge.ratelimit.shared import SharedWindows
from edge.reasons import Reason

QUOTA = Quota("counter", 1000, 1_000_000)


class FakeLane:
    """Answers each request with the number in its key, when it may."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_away = False
        self.is_cut = False
        self.is_short = False
        self.chokes_on: bytes | None = None
        self.fault: Exception | None = None
        self.arrives_on: socket.socket | None = None
        self.under_way = 0
        self.requests: Sequence[Request] = ()
        self.deciding: asyncio.Future[list[Outcome]]

    async def connect(self) -> None:
        if self.is_away:
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE)

    def begin(self, requests: Sequence[Request], done: Done) -> None:
        if self.is_cut:
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE)
        if any(self.chokes_on == charge.key for request in requests for charge in request.charges):
            raise ValueError(self.chokes_on)
        self.batches.append(len(requests))
        self.requests = requests
        self.under_way += 1
        assert self.under_way == 1, "a lane does one thing at a time"
        self.deciding = asyncio.ensure_future(self._decide())
        self.deciding.add_done_callback(lambda deciding: done(_result(deciding)))

    def abort(self) -> None:
        self.deciding.cancel()

    async def _decide(self) -> list[Outcome]:
        try:
            await self.may_answer.wait()
            if self.fault:
                raise self.fault
            if self.arrives_on:
                await asyncio.get_running_loop().sock_recv(self.arrives_on, 100)
            if self.is_away:
                raise UnavailableError(Reason.LIMITS_UNAVAILABLE)
            told = self.requests[:-1] if self.is_short else self.requests
            return [Outcome(is_admitted=True, verdicts=(), times_us=(number(r),)) for r in told]
        finally:
            self.under_way = 0

    async def close(self) -> None:
        self.deciding.cancel()


def _result(deciding: asyncio.Future[list[Outcome]]) -> list[Outcome] | Exception:
    try:
        return deciding.result()
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # as lanes give it
        return error if isinstance(error, Exception) else TimeoutError()


def number(request: Request) -> int:
    return int(request.charges[0].key) if request.charges[0].key.isdigit() else 0


class House:
    """Windows over two lanes that are well."""

    def __init__(self, budget_s: float = 5) -> None:
        self.running: asyncio.Task[None]
        self.lanes = [FakeLane(), FakeLane()]
        self.changes: list[bool] = []
        self.trips: list[int] = []
        self.waits = 0
        self.windows = SharedWindows(
            self.lanes,
            budget_s=budget_s,
            changed=self.changes.append,
            took=self._took,
            waited=self._waited,
        )

    def _waited(self, requests: int) -> None:
        self.waits += requests

    def _took(self, requests: int, seconds: float) -> None:
        assert seconds >= 0
        self.trips.append(requests)

    async def ask(self, key: int) -> int:
        return (await self.windows.decide([Charge(b"%d" % key, QUOTA)])).times_us[0]

    def asking(self, *keys: int) -> list[asyncio.Task[int]]:
        return [asyncio.create_task(self.ask(key)) for key in keys]

    def forget(self) -> None:
        for lane in self.lanes:
            lane.batches.clear()
        self.trips.clear()

    @property
    def batches(self) -> list[int]:
        return [size for lane in self.lanes for size in lane.batches]

    async def rest(self) -> None:
        """Let everything happen that waits for nobody."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    found = House()
    running = found.running = asyncio.create_task(found.windows.run())
    await found.windows.settle(5)
    await found.rest()
    found.forget()
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_lone_request_waits_for_nobody(house: House) -> None:
    """One request is one round trip, at once."""
    assert [await house.ask(key) for key in (1, 2, 3)] == [1, 2, 3]
    assert house.batches == [1, 1, 1]


async def test_requests_of_a_moment_share_a_round_trip(house: House) -> None:
    """A hundred at once go together; each gets its own answer, and nobody has waited."""
    assert await asyncio.gather(*house.asking(*range(100))) == list(range(100))
    assert (house.batches, house.trips, house.waits) == ([100], [100], 0)


async def test_a_crowd_takes_several_round_trips(house: House) -> None:
    """No round trip takes more than 128, however many ask at once."""
    assert await asyncio.gather(*house.asking(*range(1000))) == list(range(1000))
    assert sum(house.batches) == 1000
    assert max(house.batches) == 128


async def test_two_round_trips_are_under_way_at_most(house: House) -> None:
    """Whoever comes while both are waits for the first that is done, and then shares one."""
    for lane in house.lanes:
        lane.may_answer.clear()
    first, second = house.asking(1), []
    await house.rest()
    second = house.asking(2)
    await house.rest()
    waiting = house.asking(*range(3, 50))
    await house.rest()
    assert house.batches == [1, 1]
    windows = house.windows
    assert (windows.lanes, windows.well_lanes, windows.busy_lanes) == (2, 2, 2)
    assert (windows.waiting, house.waits) == (47, 0)
    for lane in house.lanes:
        lane.may_answer.set()
    assert await asyncio.gather(*first, *second, *waiting) == list(range(1, 50))
    assert sorted(house.batches) == [1, 1, 47]
    await house.rest()
    assert (windows.busy_lanes, windows.waiting, house.waits) == (0, 0, 47)


async def test_who_leaves_disturbs_nobody(house: House) -> None:
    """Of ten that share a round trip, five leave; the others get their own answers."""
    for lane in house.lanes:
        lane.may_answer.clear()
    tasks = house.asking(*range(10))
    await house.rest()
    for task in tasks[::2]:
        task.cancel()
    await house.rest()
    for lane in house.lanes:
        lane.may_answer.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[1::2] == [1, 3, 5, 7, 9]
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])


async def test_while_one_lane_is_well_the_windows_are(house: House) -> None:
    """A cut connection costs the requests on it; the other lane goes on, and nobody is told."""
    broken = house.lanes[0]
    broken.is_away = True
    outcomes = [await outcome(house, key) for key in range(10)]
    assert outcomes.count(None) <= 1
    assert house.changes == [True]


async def test_when_no_lane_is_well_everybody_is_told_at_once(house: House) -> None:
    """And nothing is sent on either; each change is told once."""
    for lane in house.lanes:
        lane.is_away = True
    for key in range(2):
        assert await outcome(house, key) is None
    await house.rest()
    house.forget()
    assert [await outcome(house, key) for key in range(100)] == [None] * 100
    assert house.batches == []
    assert house.changes == [True, False]


async def test_what_cannot_even_be_sent_is_told_as_well(house: House) -> None:
    """A request that goes at once finds its connection gone: no other hears of it, none hangs."""
    for lane in house.lanes:
        lane.is_away = lane.is_cut = True
    assert [await outcome(house, key) for key in range(2)] == [None, None]
    await house.rest()
    assert house.changes == [True, False]


@pytest.mark.parametrize("fault", [TypeError("odd"), ValueError("odder"), OSError("gone")])
async def test_whatever_goes_wrong_in_a_lane_is_told_and_passes(
    house: House, fault: Exception
) -> None:
    """Nobody hangs, and when it is over all is as before: the lanes go on whatever happens."""
    for lane in house.lanes:
        lane.fault = fault
    async with asyncio.timeout(5):
        assert [await outcome(house, key) for key in range(2)] == [None, None]
    await house.rest()
    assert house.changes == [True, False]
    for lane in house.lanes:
        lane.fault = None
    assert await house.windows.settle(5)
    assert await house.ask(7) == 7


async def test_idle_lanes_are_tried_and_serve_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gets a probe that no request waits for; a request shares none of them."""
    monkeypatch.setattr("edge.ratelimit.shared._IDLE_S", 0)
    trying = asyncio.create_task(house.windows._keep_alive())  # noqa: SLF001  # it waits 5 s in `run`
    for lane in house.lanes:
        lane.may_answer.clear()
    await house.rest()
    assert [lane.batches for lane in house.lanes] == [[1], [1]]
    asking = house.asking(1)
    trying.cancel()
    await house.rest()
    for lane in house.lanes:
        lane.may_answer.set()
    assert await asyncio.gather(*asking) == [1]
    assert sorted(house.batches) == [1, 1, 1]
    assert house.trips == [1]


async def test_a_worker_that_was_busy_does_not_blame_the_store() -> None:
    """What has arrived while the loop was held is read, though the budget is over by then."""
    house = House(budget_s=0.02)
    running = asyncio.create_task(house.windows.run())
    assert await house.windows.settle(5)
    reader, writer = socket.socketpair()
    reader.setblocking(False)  # noqa: FBT003  # as it is called
    for lane in house.lanes:
        lane.arrives_on = reader
    asking = house.asking(1)
    await house.rest()
    writer.send(b"the answer")
    time.sleep(0.1)  # noqa: ASYNC251  # holds the loop, which is what this is about
    assert await asyncio.gather(*asking) == [1]
    assert house.changes == [True]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    reader.close()
    writer.close()


async def test_who_leaves_at_once_leaves_the_lane_to_finish(house: House) -> None:
    """The lane that was begun on is not lost: everything later is decided."""
    house.lanes[0].may_answer.clear()
    [leaving] = house.asking(1)
    await house.rest()
    assert house.batches == [1]
    leaving.cancel()
    house.lanes[0].may_answer.set()
    assert await asyncio.gather(*house.asking(*range(2, 300))) == list(range(2, 300))
    assert house.changes == [True]


async def test_what_cannot_be_sent_for_itself_costs_nobody_else(house: House) -> None:
    """A request that a lane cannot even pack is told, and the lane goes on."""
    for lane in house.lanes:
        lane.chokes_on = b"13"
    assert await outcome(house, 13) is None
    assert await house.windows.settle(5)
    assert await asyncio.gather(*house.asking(*range(20, 60))) == list(range(20, 60))


async def test_a_stop_fails_what_is_under_way_and_tells_of_no_outage(house: House) -> None:
    """Who waits is told; that the store has gone away is not said, for it has not."""
    for lane in house.lanes:
        lane.may_answer.clear()
    asking = [asyncio.create_task(outcome(house, key)) for key in range(3)]
    await house.rest()
    assert house.batches == [3]
    house.running.cancel()
    await asyncio.gather(house.running, return_exceptions=True)
    assert await asyncio.gather(*asking) == [None, None, None]
    assert house.changes == [True]


async def test_windows_that_run_again_know_nothing_of_before() -> None:
    """A lane that was idle at the end is not used twice at once; each request gets its answer."""
    house = House()
    for _ in range(2):
        house.running = asyncio.create_task(house.windows.run())
        assert await house.windows.settle(5)
        await house.rest()
        for lane in house.lanes:
            lane.may_answer.clear()
        asking = []
        for key in range(4):
            asking += house.asking(key)
            await house.rest()
        for lane in house.lanes:
            lane.may_answer.set()
        async with asyncio.timeout(5):
            assert await asyncio.gather(*asking) == [0, 1, 2, 3]
        await house.rest()
        assert house.windows.busy_lanes == 0
        house.running.cancel()
        await asyncio.gather(house.running, return_exceptions=True)


async def test_who_gets_no_outcome_is_told_so(house: House) -> None:
    """A lane that says too little leaves nobody waiting."""
    for lane in house.lanes:
        lane.is_short = True
    async with asyncio.timeout(5):
        told = await asyncio.gather(*(outcome(house, key) for key in (5, 6)))
    assert told == [5, None]


async def outcome(house: House, key: int) -> int | None:
    try:
        return await house.ask(key)
    except UnavailableError:
        return None


def test_a_verdict_that_fits_needs_no_wait() -> None:
    """That is how it says so."""
    assert Verdict(1, 0, 0).fits
    assert not Verdict(0, 9, 9).fits
    assert not Verdict(0, 9, None).fits
