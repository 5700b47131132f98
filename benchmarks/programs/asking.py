"""Cases that ask a server over HTTP in bursts, each with another token."""

import http.client
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from benchmarks.case import Batch, Case, Kind, WrongResultError
from benchmarks.peers.agreed import APP
from benchmarks.programs.cpu_time import cpu_time_ns
from benchmarks.programs.h2load import Asked, H2load
from benchmarks.programs.program import Running
from benchmarks.programs.redis import REDIS
from benchmarks.programs.served import Served
from benchmarks.programs.shared import Shared

Ask = Callable[[Served], Sequence[Asked]]

# What a load balancer adds, and a page of the app sends.
FROM_PROXY: Final = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
FROM_PAGE: Final = {**FROM_PROXY, "Origin": APP}


def with_redis(start: Callable[[int], AbstractContextManager[Served]]) -> Shared[Served]:
    """Give a server that is started with a Redis, for all cases that are open at the same time."""

    @contextmanager
    def opened() -> Iterator[Served]:
        with REDIS.use() as port, start(port) as served:
            yield served

    return Shared(opened)


def alone(start: Callable[[], AbstractContextManager[Running]]) -> Shared[Served]:
    """Give a server that needs nothing beside it."""

    @contextmanager
    def opened() -> Iterator[Served]:
        with start() as running:
            yield Served(running)

    return Shared(opened)


def by_admins(
    path: str, fields: Mapping[str, str] = FROM_PROXY, *, status: int = 200, spoil: str = ""
) -> Ask:
    """Ask with the tokens of admins, the end of which may be spoilt."""

    def asked(served: Served) -> list[Asked]:
        tokens = [token[: len(token) - len(spoil)] + spoil for token in served.admin_tokens]
        return [
            Asked(
                f"{served.running.url}{path}",
                {"Authorization": f"Bearer {token}", **fields},
                status,
            )
            for token in tokens
        ]

    return asked


def by_anybody(path: str, fields: Mapping[str, str] = FROM_PROXY) -> Ask:
    """Ask with these fields alone."""
    return lambda served: [Asked(f"{served.running.url}{path}", fields)]


def server_cases(
    name: str, server: Shared[Served], ask: Ask, *of: str, gated: bool = False
) -> list[Case]:
    """Make two cases, in which the operation is a request, on one of 32 connections.

    One is of the time that it takes, and one, whose id ends in `/cpu`, of the CPU time that the
    server takes for it: that has less noise where other work is done on the machine, and leaves
    out what Redis takes.
    """
    time, cpu = (partial(_opened, server, ask, is_cpu=is_cpu) for is_cpu in (False, True))
    case = Case(id=name, open=time, kind=Kind.SERVER, of=of, gated=gated)
    beside = [f"{other}/cpu" for other in of]
    return [case, Case(id=f"{name}/cpu", open=cpu, kind=Kind.SERVER, of=beside)]


@asynccontextmanager
async def _opened(server: Shared[Served], ask: Ask, *, is_cpu: bool) -> AsyncIterator[Batch]:
    generator = H2load()
    with server.use() as served:
        asked = ask(served)
        for one in asked:  # what is seen for the first time is not what is measured
            _probe(one)
        turns, pid = itertools.cycle(asked), served.running.pid

        async def batch(n: int) -> int:
            one = next(turns)
            before_ns = cpu_time_ns(pid)
            took_ns = await generator.burst(one, n)
            used_ns = cpu_time_ns(pid) - before_ns
            if _probe(one) != one.status:
                message = f"an answer is not {one.status} any more"
                raise WrongResultError(message)
            return used_ns if is_cpu else took_ns

        yield batch


def _probe(asked: Asked) -> int:
    """Ask once, and give the status: h2load tells only its first digit."""
    url = urlsplit(asked.url)
    with closing(http.client.HTTPConnection(url.netloc, timeout=10)) as connection:
        connection.request("GET", url.path, headers=dict(asked.fields))
        with connection.getresponse() as answer:
            return answer.status
