"""Windows shared by all workers: requests of a moment share a round trip, and a budget of time.

Two lanes have a round trip in flight each, so that one is decided while the answers of the other
are handed out. While nothing is under way, a request is sent at once; the others share the next
round trip. A lane whose connection fails tries again by itself, beside the requests; while no lane
is well, every request is told at once.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from edge.faults import UnavailableError
from edge.ratelimit.charge import Charge, Charged, Outcome, Quota, Request
from edge.ratelimit.ports import Lane
from edge.reasons import Reason

# More only makes Redis's other clients wait, and the first of a batch for the last.
_MOST_REQUESTS: Final = 128
_CONNECT_TIMEOUT_S: Final = 1.0
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 0.5
# A connection that nothing was sent on for so long is tried before a request needs it.
_IDLE_S: Final = 5.0
# One reads what has arrived, one wakes the lane, one is for the lane's own next step.
_TURNS: Final = 3

# Writes, for a Redis that is read-only or full answers reads all the same.
PROBE_QUOTA: Final = Quota("counter", 1_000_000, 1_000_000)
_PROBE: Final = Request([Charge(b"edge:limit:probe", PROBE_QUOTA)])


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    """A request, and where its outcome goes."""

    request: Request
    outcome: asyncio.Future[Outcome]


class _Batch(msgspec.Struct, frozen=True, gc=False):
    """Requests that share a round trip; without any, it only tries the connection."""

    waiting: Sequence[_Waiting]
    is_begun: bool

    @property
    def requests(self) -> Sequence[Request]:
        return [one.request for one in self.waiting] or [_PROBE]


class _Idle(msgspec.Struct, frozen=True, gc=False):
    """A lane with nothing to do; `job` is what was begun on it, None to look at what waits."""

    lane: Lane
    job: asyncio.Future[_Batch | None]


class SharedWindows:
    """`budget_s` is what Redis may take for an answer. `run` must be running beside the requests.

    `changed` is called with False when the store has gone away, and with True when it is back;
    `took` with each batch that was decided: its requests, and the seconds of its round trip;
    `waited` with how many of them found another under way, and shared this one.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        *,
        budget_s: float,
        changed: Callable[[bool], None],
        took: Callable[[int, float], None] = lambda *_: None,
        waited: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._lanes = lanes
        self._budget_s = budget_s
        self._changed = changed
        self._took = took
        self._waited = waited
        self._well: set[Lane] = set()
        self._waiting: deque[_Waiting] = deque()
        self._idle: deque[_Idle] = deque()
        self._is_well = asyncio.Event()
        self._new_future: Callable[[], asyncio.Future[Any]] = _not_running

    @property
    def waiting(self) -> int:
        """How many requests wait for a lane."""
        return len(self._waiting)

    @property
    def lanes(self) -> int:
        return len(self._lanes)

    @property
    def well_lanes(self) -> int:
        """How many lanes the store decides by."""
        return len(self._well)

    @property
    def busy_lanes(self) -> int:
        """How many of them wait for an answer."""
        return max(len(self._well) - len(self._idle), 0)

    def decide(self, charges: Sequence[Charge]) -> Awaitable[Outcome]:
        return self._ask(Request(charges))

    async def give_back(self, charged: Sequence[Charged]) -> None:
        by_time = defaultdict[int, list[Charge]](list)
        for one in charged:
            by_time[one.at_us].append(one.charge)
        await asyncio.gather(*(self._ask(Request(made, at)) for at, made in by_time.items()))

    async def settle(self, timeout_s: float) -> bool:
        """Wait until the store decides, or for so long; says whether it does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._is_well.wait()
        return self._is_well.is_set()

    async def run(self) -> None:
        """Serve until cancelled."""
        # Looked up once: in Python 3.11 each look asks the system for the process id.
        self._new_future = asyncio.get_running_loop().create_future
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_alive())
                for lane in self._lanes:
                    group.create_task(self._serve(lane))
        finally:
            self._well.clear()
            self._is_well.clear()
            self._fail_waiting()

    def _ask(self, request: Request) -> asyncio.Future[Outcome]:
        if not self._well:
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE)
        waiting = _Waiting(request, self._new_future())
        if len(self._idle) == len(self._lanes):
            self._begin(self._idle.popleft(), [waiting])
        else:
            self._waiting.append(waiting)
            if len(self._waiting) == 1:  # those that come before the lane runs go with this one
                self._wake_a_lane()
        return waiting.outcome

    def _begin(self, idle: _Idle, waiting: Sequence[_Waiting]) -> None:
        """Begin a round trip here and now; the lane that is woken would do it only later."""
        if idle.job.done():  # the lane is being stopped
            _fail(waiting)
            return
        batch = _Batch(waiting, is_begun=False)
        with suppress(Exception):  # the lane that is woken tries again, and tells what is wrong
            idle.lane.begin(batch.requests)
            batch = _Batch(waiting, is_begun=True)
        idle.job.set_result(batch)

    def _wake_a_lane(self) -> None:
        while self._idle:
            idle = self._idle.popleft()
            if not idle.job.done():  # the lane is being stopped
                idle.job.set_result(None)
                return

    async def _serve(self, lane: Lane) -> None:
        try:
            while True:
                await self._recover(lane)
                self._set_well(lane, is_well=True)
                with suppress(UnavailableError):
                    while True:
                        await self._round_trip(lane, await self._next_batch(lane))
                self._set_well(lane, is_well=False)
        finally:
            await lane.close()

    async def _recover(self, lane: Lane) -> None:
        """Try until the lane decides within the budget again."""
        pause_s = _FIRST_PAUSE_S
        while True:
            with suppress(Exception):
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    await lane.connect()
                return await self._round_trip(lane, _Batch((), is_begun=False))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _next_batch(self, lane: Lane) -> _Batch:
        while not self._waiting:
            idle = _Idle(lane, self._new_future())
            self._idle.append(idle)
            begun = await idle.job
            if begun is not None:
                return begun
        count = min(len(self._waiting), _MOST_REQUESTS)
        self._waited(count)
        waiting = [self._waiting.popleft() for _ in range(count)]
        if self._waiting:
            self._wake_a_lane()
        return _Batch(waiting, is_begun=False)

    async def _keep_alive(self) -> None:
        """Try connections that nothing was sent on for a while, before a request needs them."""
        while True:
            await asyncio.sleep(_IDLE_S)
            while self._idle:
                self._begin(self._idle.popleft(), [])

    async def _round_trip(self, lane: Lane, batch: _Batch) -> None:
        """Decide the batch. The budget is Redis's: how long requests waited to be sent is ours.

        Raises:
            UnavailableError: it was not decided; the requests were told.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        limit = asyncio.timeout(None)
        timer = loop.call_at(started + self._budget_s, _end, loop, limit, _TURNS)
        try:
            async with limit:
                if not batch.is_begun:
                    lane.begin(batch.requests)
                outcomes = await lane.finish()
        except Exception as error:  # whatever it is, nothing was decided, and the lane goes on
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE) from error
        else:
            _tell(batch, outcomes)
        finally:
            timer.cancel()
            _fail(batch.waiting)  # those that were not told
        if batch.waiting:
            self._took(len(batch.waiting), loop.time() - started)

    def _set_well(self, lane: Lane, *, is_well: bool) -> None:
        was_well = bool(self._well)
        (self._well.add if is_well else self._well.discard)(lane)
        if self._well:
            self._is_well.set()
        else:
            self._is_well.clear()
            self._fail_waiting()
        if bool(self._well) != was_well:
            self._changed(is_well)

    def _fail_waiting(self) -> None:
        _fail(self._waiting)
        self._waiting.clear()


def _not_running() -> asyncio.Future[Any]:
    message = "SharedWindows.run() is not running"
    raise RuntimeError(message)


def _tell(batch: _Batch, outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(batch.waiting, outcomes, strict=False):
        if not waiting.outcome.done():  # the client has gone
            waiting.outcome.set_result(outcome)


def _end(loop: asyncio.AbstractEventLoop, limit: asyncio.Timeout, turns: int) -> None:
    """End a wait after some turns of the loop, in which what has arrived meanwhile is read.

    Else a worker that was busy for longer than the budget would think that Redis was away.
    """
    if turns:
        loop.call_soon(_end, loop, limit, turns - 1)
    else:
        with suppress(RuntimeError):  # it is over
            limit.reschedule(loop.time())


def _fail(batch: Iterable[_Waiting]) -> None:
    for waiting in batch:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(UnavailableError(Reason.LIMITS_UNAVAILABLE))
