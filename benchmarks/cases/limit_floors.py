"""The least that a decision in Redis can cost: our script, one decision a call."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from redis.asyncio import Redis

from benchmarks.batches import awaiting
from benchmarks.case import Batch, Case, Kind, WrongResultError
from benchmarks.material.limits import QUOTAS, charges
from benchmarks.programs.cpus import measured, started_on
from benchmarks.programs.program import HOST, find
from benchmarks.programs.redis import INSTALL, REDIS
from edge.ratelimit.charge import Charge, Request
from edge.ratelimit.redis import Script, pack_requests

_IN_FLIGHT: Final = (1, 32, 256)
_KEYS: Final = 1000
_NS: Final = 1_000_000_000


@asynccontextmanager
async def _evalsha(in_flight: int) -> AsyncIterator[Batch]:
    """Call the script through redis-py, without time-outs and without sharing calls."""
    with REDIS.use() as port:
        client = Redis.from_url(f"redis://{HOST}:{port}", max_connections=in_flight)
        sha = await client.script_load(Script().text)
        asked = [pack_requests([Request(one)]) for one in charges("counter", _KEYS)]

        async def decide(arguments: list[bytes]) -> object:
            _, key, terms = arguments
            return await client.evalsha(sha, 1, key, terms)

        yield awaiting(decide, asked, lambda reply: isinstance(reply, bytes), in_flight=in_flight)
        await client.aclose()


@asynccontextmanager
async def _redis_benchmark() -> AsyncIterator[Batch]:
    """Let redis-benchmark ask, 256 at a time on one connection after the other."""
    program = find("redis-benchmark", INSTALL)
    with REDIS.use() as port:
        client = Redis.from_url(f"redis://{HOST}:{port}")
        sha = await client.script_load(_fixed())
        await client.aclose()
        options = ["-p", str(port), "-P", "256", "-c", "2", "-r", str(_KEYS), "--csv"]

        async def batch(n: int) -> int:
            asked = ["EVALSHA", sha, "1", "edge:limit:floor:__rand_int__"]
            with started_on(measured()):
                process = await asyncio.create_subprocess_exec(
                    program, *options, "-n", str(n), *asked, stdout=PIPE, stderr=PIPE
                )
            output, errors = await process.communicate()
            return _read(output.decode(), errors.decode(), n)

        yield batch


def _read(output: str, errors: str, n: int) -> int:
    """Read its table, whose second column is decisions a second."""
    lines = output.splitlines()
    if errors or not lines or "rps" not in lines[0]:
        message = f"redis-benchmark wrote: {output}{errors}"
        raise WrongResultError(message)
    return round(n / float(lines[-1].split('","')[1]) * _NS)


def _fixed() -> str:
    """Give the script with its terms in it: redis-benchmark cannot pass an argument with zeros."""
    terms = pack_requests([Request([Charge(b"", QUOTAS["counter"])])])[-1]
    literal = "".join(f"\\{byte:03d}" for byte in terms)
    return f'local ARGV = {{"{literal}"}}\n{Script().text}'


CASES: Final[Sequence[Case]] = [
    *(
        Case(id=f"floor/evalsha/{n}", open=partial(_evalsha, n), kind=Kind.REDIS)
        for n in _IN_FLIGHT
    ),
    Case(id="floor/redis-benchmark", open=_redis_benchmark, kind=Kind.REDIS),
]
