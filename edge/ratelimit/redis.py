"""Windows in Redis: one script, one round trip for a batch of requests, by Redis's own clock."""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Final

from hiredis import ReplyError, pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from edge.faults import UnavailableError
from edge.ratelimit.charge import Charge, Outcome, Request, Verdict
from edge.ratelimit.ports import Done
from edge.ratelimit.redis_wire import RedisWire
from edge.reasons import Reason

# In integer microseconds: 1.8e15 today, well below the 2^53 up to which Lua counts exactly.
REDIS_CLOCK: Final = "local time = redis.call('TIME') local now = time[1] * 1000000 + time[2]"

_REQUEST: Final = struct.Struct("<BQ")
_CHARGE: Final = struct.Struct("<BBIIQ")
_LARGEST_COST: Final = 2**32 - 1  # more than any limit, so more than that never fits either
_NOW: Final = struct.Struct("<Q")
_VERDICT: Final = struct.Struct("<IQq")


class Script:
    """The script `decide.lua`, behind a line that sets `now`."""

    def __init__(self, clock: str = REDIS_CLOCK) -> None:
        decide = files("edge.ratelimit").joinpath("decide.lua").read_text("utf-8")
        self.text = f"{clock}\n{decide}"
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class RedisLane:
    """One connection to a Redis that keeps all windows: a single one, or what sentinels name."""

    def __init__(self, connection: AbstractConnection, script: Script) -> None:
        self._connection = connection
        self._script = script
        self._requests: Sequence[Request] = ()
        self._wire: RedisWire
        self._done: Done

    async def connect(self) -> None:
        """Connect anew.

        Raises:
            UnavailableError: Redis is away.
        """
        try:
            await self._connection.disconnect()
            await self._connection.connect()  # type: ignore[no-untyped-call]  # redis-py's is not typed
        except (RedisError, OSError) as error:
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE) from error
        self._wire = RedisWire.take_over(self._connection)

    def begin(self, requests: Sequence[Request], done: Done) -> None:
        """Send them. They wait here where Redis has not read what was sent before."""
        self._requests = requests
        self._done = done
        self._ask("EVALSHA", self._script.sha)

    def abort(self) -> None:
        """End the connection, and with it the wait."""
        self._wire.abort()

    async def close(self) -> None:
        await self._connection.disconnect()

    def _ask(self, command: str, script: str) -> None:
        arguments = (command, script, *pack_requests(self._requests))
        # hiredis packs in C what redis-py would pack in Python, argument by argument.
        packed = pack_command(arguments)  # type: ignore[arg-type]  # its stub knows one argument
        self._wire.ask(packed, self._answered)

    def _answered(self, reply: object) -> None:
        if isinstance(reply, ReplyError) and str(reply).startswith("NOSCRIPT"):
            self._ask("EVAL", self._script.text)  # Redis was restarted, or its scripts were flushed
            return
        try:
            decided: Sequence[Outcome] | Exception = unpack_outcomes(self._requests, reply)
        except UnavailableError as error:
            error.__cause__ = reply if isinstance(reply, Exception) else None
            decided = error
        self._done(decided)


def pack_requests(requests: Sequence[Request]) -> list[bytes]:
    """Give the arguments of the script, as its head describes them."""
    keys, terms = [], []
    for request in requests:
        terms.append(_REQUEST.pack(len(request.charges), request.given_back_at_us))
        for charge in request.charges:
            quota = charge.quota
            keys.append(charge.key)
            is_log = quota.algorithm == "log"
            cost = min(charge.cost, _LARGEST_COST)
            terms.append(_CHARGE.pack(is_log, charge.is_shadow, cost, quota.limit, quota.window_us))
    return [b"%d" % len(keys), *keys, b"".join(terms)]


def unpack_outcomes(requests: Sequence[Request], reply: object) -> list[Outcome]:
    """Give what the script answered to these requests; giving back is admitted.

    Raises:
        UnavailableError: this is no answer of the script: what is there is no Redis of ours.
    """
    count = sum(len(one.charges) for one in requests if not one.given_back_at_us)
    if not isinstance(reply, bytes) or len(reply) != _NOW.size + count * _VERDICT.size:
        raise UnavailableError(Reason.LIMITS_UNAVAILABLE)
    (now_us,) = _NOW.unpack_from(reply)
    answers = _VERDICT.iter_unpack(memoryview(reply)[_NOW.size :])
    return [
        Outcome(is_admitted=True, verdicts=(), times_us=())
        if request.given_back_at_us
        else _outcome(request.charges, now_us, answers)
        for request in requests
    ]


def _outcome(
    charges: Sequence[Charge], now_us: int, answers: Iterator[tuple[int, int, int]]
) -> Outcome:
    verdicts = []
    is_admitted = True
    for charge in charges:
        remaining, reset_after_us, retry_after_us = next(answers)
        is_admitted = is_admitted and (retry_after_us == 0 or charge.is_shadow)
        verdicts.append(
            Verdict(remaining, reset_after_us, None if retry_after_us < 0 else retry_after_us)
        )
    return Outcome(is_admitted, tuple(verdicts), (now_us,) * len(verdicts))
