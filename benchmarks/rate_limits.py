"""What a decision about a rate limit costs, beside the floor and beside what people use instead.

    python -m benchmarks.rate_limits

Starts a Redis of its own on a free port, pinned to another core where that is allowed. Candidates
take turns in blocks; shown are medians of the rounds, and ratios taken within a round. `bare` is
EVALSHA of our script through redis-py without time-outs; the floor is the same script under
`redis-benchmark -P 256`, one decision a call; `limits` is the library of that name on redis-py;
`litestar` is what Litestar's rate limit middleware does with its Redis store, lock included.
"""

import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import uvloop
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter
from litestar import Litestar
from litestar.middleware.rate_limit import RateLimitConfig, RateLimitMiddleware
from litestar.stores.redis import RedisStore
from redis.asyncio import Redis

from edge.ratelimit.charge import Charge, Quota, Request
from edge.ratelimit.redis import RedisLane, Script, pack_requests
from edge.ratelimit.redis_lanes import open_lanes
from edge.ratelimit.shared import SharedWindows
from edge.stores.redis import connection

# The targets: as many decisions as the floor and six times `limits` at 256 in flight, a tenth
# above the bare call for one, six microseconds of Redis a decision in batches of 32.
LEAST_OF_FLOOR: Final = 1.0
LEAST_OF_LIMITS: Final = 6.0
MOST_OF_BARE: Final = 1.1
MOST_REDIS_US: Final = 6.0

_ROUNDS: Final = 15
_KEYS: Final = 1000
_ASKS: Final = {1: 300, 32: 3000, 256: 12_000}
_SLOWER: Final = 6  # how many fewer times the others are asked, to take turns of about one length
_US: Final = 1_000_000

Ask = Callable[[int], Awaitable[object]]


def main() -> int:
    """Print the table; gives 1 where a target was missed."""
    with _redis() as port:
        missed = uvloop.run(_compare(port))
    for problem in missed:
        print(f"missed: {problem}")
    return 1 if missed else 0


async def _compare(port: int) -> list[str]:
    url = f"redis://127.0.0.1:{port}"
    windows = SharedWindows(open_lanes(url), budget_s=1.0, changed=lambda _: None)
    running = asyncio.create_task(windows.run())
    await windows.settle(5)
    client = Redis.from_url(url, socket_timeout=None, max_connections=300)
    keys = [b"edge:limit:bench:%d" % number for number in range(_KEYS)]
    counter = Quota("counter", 1_000_000_000, 60 * _US)
    log = Quota("log", 10_000, 60 * _US)
    script = Script().text
    sha = await client.script_load(script)
    terms = pack_requests([Request([Charge(keys[0], counter)])])[-1]
    storage = RedisStorage(f"async+{url}/1", implementation="redispy", max_connections=300)
    item = RateLimitItemPerMinute(10_000)
    moving, sliding = MovingWindowRateLimiter(storage), SlidingWindowCounterRateLimiter(storage)
    asks: dict[str, Ask] = {
        "counter": lambda n: windows.decide([Charge(keys[n % _KEYS], counter)]),
        "log": lambda n: windows.decide([Charge(keys[n % _KEYS] + b"l", log)]),
        "bare": lambda n: client.evalsha(sha, 1, keys[n % _KEYS], terms),
        "limits moving": lambda n: moving.hit(item, str(n % _KEYS)),
        "limits sliding": lambda n: sliding.hit(item, str(n % _KEYS)),
        "litestar": _litestar(client),
    }
    print(f"{'in flight':>10}" + "".join(f"{name:>15}" for name in asks) + f"{'floor':>10}")
    missed: list[str] = []
    for in_flight in _ASKS:
        times = {name: list[float]() for name in (*asks, "floor")}
        for _ in range(_ROUNDS):
            await client.flushdb()
            sha = await client.script_load(script)
            for name, ask in asks.items():
                is_slow = in_flight > 1 and name not in ("counter", "log")
                asked = _ASKS[in_flight] // (_SLOWER if is_slow else 1)
                times[name].append(await _time(ask, asked, in_flight))
            if in_flight == max(_ASKS):
                times["floor"].append(_floor(port, await client.script_load(_fixed(terms))))
        shown = "".join(f"{statistics.median(times[name]) * _US:12.1f} us" for name in asks)
        floor = f"{statistics.median(times['floor']) * _US:7.1f} us" if times["floor"] else ""
        print(f"{in_flight:>10}{shown}{floor:>10}")
        missed += _judge(in_flight, times)
    redis_us = await _redis_side(client, port, keys, counter)
    print(f"Redis takes {redis_us:.2f} us a counter decision in batches of 32")
    if redis_us > MOST_REDIS_US:
        missed.append(f"Redis takes {redis_us:.2f} us a decision, not {MOST_REDIS_US}")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await client.aclose()
    return missed


def _judge(in_flight: int, times: dict[str, list[float]]) -> Iterator[str]:
    def ratio(slower: str) -> float:
        pairs = zip(times[slower], times["counter"], strict=True)
        return statistics.median(one / ours for one, ours in pairs)

    if in_flight == 1 and 1 / ratio("bare") > MOST_OF_BARE:
        times_bare = 1 / ratio("bare")
        yield f"one in flight takes {times_bare:.2f} times a bare EVALSHA, not {MOST_OF_BARE}"
    if in_flight == max(_ASKS):
        for peer in ("limits moving", "limits sliding"):
            if ratio(peer) < LEAST_OF_LIMITS:
                yield f"{ratio(peer):.1f} times as fast as {peer}, not {LEAST_OF_LIMITS}"
        if ratio("floor") < LEAST_OF_FLOOR:
            yield f"{ratio('floor'):.2f} of the floor, not {LEAST_OF_FLOOR}"


def _litestar(client: Redis) -> Ask:
    store = RedisStore(client, namespace="litestar")
    config = RateLimitConfig(rate_limit=("minute", 10_000))
    middleware = RateLimitMiddleware(Litestar(), config)

    async def ask(number: int) -> None:
        key = str(number % _KEYS)
        async with middleware._lock:  # noqa: SLF001  # as its __call__ does
            history = await middleware.retrieve_cached_history(key, store)
            await middleware.set_cached_history(key, history, store)

    return ask


async def _time(ask: Ask, times: int, in_flight: int) -> float:
    left = times

    async def user() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await ask(left)

    started = time.perf_counter()
    await asyncio.gather(*(user() for _ in range(in_flight)))
    return (time.perf_counter() - started) / times


def _fixed(terms: bytes) -> str:
    """Give the script with its terms in it: redis-benchmark cannot pass an argument with zeros."""
    literal = "".join(f"\\{byte:03d}" for byte in terms)
    return f'local ARGV = {{"{literal}"}}\n{Script().text}'


def _floor(port: int, sha: str) -> float:
    """Give the seconds of a decision under redis-benchmark, whose second column is the rate."""
    command = ["redis-benchmark", "-p", str(port), "-P", "256", "-c", "2", "-n", "50000"]
    command += ["-r", str(_KEYS), "--csv", "EVALSHA", sha, "1", "edge:limit:floor:__rand_int__"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # ours
    return 1 / float(done.stdout.splitlines()[-1].split('","')[1])


async def _redis_side(client: Redis, port: int, keys: list[bytes], quota: Quota) -> float:
    """Give what Redis itself counts for a decision in batches of 32."""
    lane = RedisLane(connection(f"redis://127.0.0.1:{port}"), Script())
    await lane.connect()
    requests = [Request([Charge(key, quota)]) for key in keys[:32]]
    await lane.begin(requests)  # by its text, which is not counted
    await lane.finish()
    await client.config_resetstat()
    for _ in range(2000):
        await lane.begin(requests)
        await lane.finish()
    used = (await client.info("commandstats"))["cmdstat_evalsha"]["usec"]
    await lane.close()
    return float(used) / 2000 / 32


@contextmanager
def _redis() -> Iterator[int]:
    """Run a Redis on the other core; this process keeps to the first one."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("this needs redis-server: apt-get install redis-server")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([program, *options, "--dir", folder], stdout=subprocess.DEVNULL)  # noqa: S603  # the one that was found
        try:
            cores = sorted(os.sched_getaffinity(0))
            if len(cores) > 1:
                with suppress(PermissionError):
                    os.sched_setaffinity(process.pid, {cores[1]})
                    os.sched_setaffinity(0, {cores[0]})
            yield port
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
