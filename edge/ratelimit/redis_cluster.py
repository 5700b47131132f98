"""Windows in a Redis Cluster, each on the node that has its key.

A script may touch one node only, so a request asks its windows in order, each in a round trip that
it shares with the others of its batch, and stops at the first that refuses. What came before stays
charged: giving it back would race.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from redis.asyncio import RedisCluster
from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from edge.faults import UnavailableError
from edge.ratelimit.charge import Charge, Outcome, Request, Verdict
from edge.ratelimit.ports import Done
from edge.ratelimit.redis import Script, pack_requests, unpack_outcomes
from edge.ratelimit.shared import PROBE_QUOTA
from edge.reasons import Reason

# With so many keys, each node that has a hundredth of the slots has one of them almost surely.
_MOST_PROBES: Final = 1000

# RedisClusterException is no RedisError.
_FAULTS: Final = (RedisError, RedisClusterException, OSError)


class _Asking(msgspec.Struct, kw_only=True):
    """A request, and what its windows have said so far."""

    request: Request
    is_admitted: bool = True
    verdicts: list[Verdict] = []
    times_us: list[int] = []

    def hear(self, outcome: Outcome) -> None:
        self.is_admitted = outcome.is_admitted
        self.verdicts += outcome.verdicts
        self.times_us += outcome.times_us

    def outcome(self) -> Outcome:
        return Outcome(self.is_admitted, tuple(self.verdicts), tuple(self.times_us))


class ClusterLane:
    """A client of the Cluster, with connections of its own to each node.

    A Cluster of which a node is away is away as a whole, until a replica has taken its place.
    """

    def __init__(self, cluster: RedisCluster, script: Script) -> None:
        self._cluster = cluster
        self._script = script
        self._deciding: asyncio.Future[list[Outcome]] | None = None

    async def connect(self) -> None:
        """Learn anew which node has what, and see that each decides.

        Raises:
            UnavailableError: the Cluster is away, or one of its nodes.
        """
        try:
            await self._cluster.aclose()
            self._cluster = await self._cluster.initialize()
        except _FAULTS as error:
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE) from error
        await self._decide([Request([charge]) for charge in self._probes()])

    def begin(self, requests: Sequence[Request], done: Done) -> None:
        """Begin to decide them, with as many round trips as the longest has windows."""
        self._deciding = asyncio.ensure_future(self._decide(requests))
        self._deciding.add_done_callback(lambda deciding: done(_outcomes_of(deciding)))

    def abort(self) -> None:
        """End the wait."""
        if self._deciding is not None:
            self._deciding.cancel()

    async def close(self) -> None:
        self.abort()
        await self._cluster.aclose()

    async def _decide(self, requests: Sequence[Request]) -> list[Outcome]:
        """Ask one window after the other: which is next is known by what the one before has said.

        Raises:
            UnavailableError: a node is away, or does not want to decide.
        """
        asking = [_Asking(request=request) for request in requests]
        for place in range(max(map(_length, requests), default=0)):
            going_on = [
                one for one in asking if one.is_admitted and place < len(one.request.charges)
            ]
            parts = [_part(one.request, place) for one in going_on]
            for one, outcome in zip(going_on, await self._round_trip(parts), strict=True):
                one.hear(outcome)
        return [one.outcome() for one in asking]

    async def _round_trip(self, parts: Sequence[Request]) -> list[Outcome]:
        """Decide requests of one charge each, all nodes at once."""
        try:
            replies = await self._run("EVALSHA", self._script.sha, parts)
            unknown = [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if unknown:  # a node was restarted or is new, or its scripts were flushed
                again = await self._run("EVAL", self._script.text, [parts[at] for at in unknown])
                for at, reply in zip(unknown, again, strict=True):
                    replies[at] = reply
        except _FAULTS as error:
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE) from error
        return [_outcome(part, reply) for part, reply in zip(parts, replies, strict=True)]

    async def _run(
        self, command: str, script: str, parts: Sequence[Request]
    ) -> list[bytes | Exception]:
        pipeline = self._cluster.pipeline()
        for part in parts:
            pipeline = pipeline.execute_command(command, script, *pack_requests([part]))
        replies: list[bytes | Exception] = await pipeline.execute(raise_on_error=False)
        return replies

    def _probes(self) -> list[Charge]:
        """Give a charge for each node."""
        found: dict[str, Charge] = {}
        for number in range(_MOST_PROBES):
            key = f"edge:limit:probe:{number}"
            node = self._cluster.get_node_from_key(key)
            if node is not None:
                found.setdefault(node.name, Charge(key.encode(), PROBE_QUOTA))
            if len(found) == len(self._cluster.get_primaries()):
                break
        return list(found.values())


def _outcomes_of(deciding: asyncio.Future[list[Outcome]]) -> list[Outcome] | Exception:
    if deciding.cancelled():
        return UnavailableError(Reason.LIMITS_UNAVAILABLE)
    error = deciding.exception()
    if error is None:
        return deciding.result()
    return error if isinstance(error, Exception) else UnavailableError(Reason.LIMITS_UNAVAILABLE)


def _length(request: Request) -> int:
    return len(request.charges)


def _part(request: Request, place: int) -> Request:
    return Request([request.charges[place]], request.given_back_at_us)


def _outcome(part: Request, reply: bytes | Exception) -> Outcome:
    if isinstance(reply, Exception):
        raise UnavailableError(Reason.LIMITS_UNAVAILABLE) from reply
    [outcome] = unpack_outcomes([part], reply)
    return outcome
