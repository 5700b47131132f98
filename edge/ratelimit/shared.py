"""Windows shared by all workers: requests of a moment share a round trip, and a budget of time.

Two lanes have a round trip in flight each, so that one is decided while the answers of the other
are handed out. What is asked in one turn of the loop shares a round trip, and so does what waits
for a lane: a round trip costs as much as ten decisions. A lane whose connection fails tries again
by itself, beside the requests; while no lane is well, every request is told at once.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
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
# One reads what has arrived; the others are for lanes that take steps of their own.
_TURNS: Final = 3

# Writes, for a Redis that is read-only or full answers reads all the same.
PROBE_QUOTA: Final = Quota("counter", 1_000_000, 1_000_000)
_PROBE: Final = Request([Charge(b"edge:limit:probe", PROBE_QUOTA)])


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    """A request, and where its outcome goes."""

    request: Request
    outcome: asyncio.Future[Outcome]


class _Trip:
    """A round trip of a lane, within a budget of time; `end` gets what came of it, and the seconds.

    When the budget is over, it goes on for some turns of the loop, in which what has arrived
    meanwhile is read: else a worker that was busy for longer would think that Redis was away.
    """

    __slots__ = ("_began_s", "_end", "_lane", "_loop", "_timer")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        budget_s: float,
        lane: Lane,
        end: Callable[[Sequence[Outcome] | Exception, float], None],
    ) -> None:
        self._loop = loop
        self._lane = lane
        self._end = end
        self._began_s = loop.time()
        self._timer: asyncio.Handle = loop.call_at(self._began_s + budget_s, self._run_out, _TURNS)

    def begin(self, requests: Sequence[Request]) -> None:
        try:
            self._lane.begin(requests, self._done)
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing was sent
            self._done(error)

    def _done(self, decided: Sequence[Outcome] | Exception) -> None:
        self._timer.cancel()
        self._end(decided, self._loop.time() - self._began_s)

    def _run_out(self, turns: int) -> None:
        if turns:
            self._timer = self._loop.call_soon(self._run_out, turns - 1)
        else:
            self._lane.abort()


class SharedWindows:
    """`budget_s` is what Redis may take for an answer. `run` must be running beside the requests.

    `changed` is called with False when the store has gone away, and with True when it is back;
    `took` with each batch that was decided: its requests, and the seconds of its round trip;
    `waited` with how many of them had to wait until a lane was done with another.
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
        self._idle: deque[Lane] = deque()
        self._lost: dict[Lane, asyncio.Future[None]] = {}  # until then they are well
        self._is_well = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
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
        self._loop = asyncio.get_running_loop()
        self._new_future = self._loop.create_future
        self._idle.clear()  # of an earlier run: an app may be started again
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
        self._waiting.append(waiting)
        if len(self._waiting) == 1 and self._idle:
            self._loop.call_soon(self._send)  # so what else comes in this turn goes with it
        return waiting.outcome

    def _send(self) -> None:
        while self._waiting and self._idle:
            self._begin(self._idle.popleft(), self._next_batch())

    def _next_batch(self) -> Sequence[_Waiting]:
        count = min(len(self._waiting), _MOST_REQUESTS)
        return [self._waiting.popleft() for _ in range(count)]

    def _begin(self, lane: Lane, batch: Sequence[_Waiting]) -> None:
        """Begin a round trip; without requests, it only tries the connection."""
        _Trip(self._loop, self._budget_s, lane, partial(self._end, lane, batch)).begin(
            [one.request for one in batch] or [_PROBE]
        )

    def _end(
        self,
        lane: Lane,
        batch: Sequence[_Waiting],
        decided: Sequence[Outcome] | Exception,
        seconds: float,
    ) -> None:
        if isinstance(decided, Exception):
            _fail(batch)
            self._lose(lane)
            return
        _tell(batch, decided)
        _fail(batch[len(decided) :])  # nobody is left to wait for ever, whatever a lane says
        if batch:
            self._took(len(batch), seconds)
        if self._waiting:
            batch = self._next_batch()
            self._waited(len(batch))
            self._begin(lane, batch)
        else:
            self._idle.append(lane)

    async def _serve(self, lane: Lane) -> None:
        """Keep a lane well; its round trips begin and end beside this."""
        try:
            while True:
                await self._recover(lane)
                lost = self._lost[lane] = self._new_future()
                self._regain(lane)
                await lost
        finally:
            await lane.close()

    async def _recover(self, lane: Lane) -> None:
        """Try until the lane decides within the budget again."""
        pause_s = _FIRST_PAUSE_S
        while True:
            with suppress(Exception):
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    await lane.connect()
                if await self._decides(lane):
                    return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _decides(self, lane: Lane) -> bool:
        tried: asyncio.Future[bool] = self._new_future()

        def end(decided: Sequence[Outcome] | Exception, _: float) -> None:
            if not tried.done():  # else the lane is being stopped
                tried.set_result(not isinstance(decided, Exception))

        _Trip(self._loop, self._budget_s, lane, end).begin([_PROBE])
        return await tried

    async def _keep_alive(self) -> None:
        """Try connections that nothing was sent on for a while, before a request needs them."""
        while True:
            await asyncio.sleep(_IDLE_S)
            for _ in range(len(self._idle)):
                self._begin(self._idle.popleft(), ())

    def _regain(self, lane: Lane) -> None:
        self._well.add(lane)
        self._idle.append(lane)
        self._is_well.set()
        if len(self._well) == 1:
            self._changed(True)  # noqa: FBT003  # a callback of others
        self._send()

    def _lose(self, lane: Lane) -> None:
        lost = self._lost[lane]
        if lost.done():  # the lane is being stopped
            return
        lost.set_result(None)
        self._well.discard(lane)
        if not self._well:
            self._is_well.clear()
            self._fail_waiting()
            self._changed(False)  # noqa: FBT003

    def _fail_waiting(self) -> None:
        _fail(self._waiting)
        self._waiting.clear()


def _not_running() -> asyncio.Future[Any]:
    message = "SharedWindows.run() is not running"
    raise RuntimeError(message)


def _tell(batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=False):
        if not waiting.outcome.done():  # the client has gone
            waiting.outcome.set_result(outcome)


def _fail(batch: Iterable[_Waiting]) -> None:
    for waiting in batch:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(UnavailableError(Reason.LIMITS_UNAVAILABLE))
