"""Faults behind HAProxy with two replicas, under a steady load: what clients then get.

The numbers F1, F2, ... are those of docs/reliability.md. In none of them may anybody be let through
who should be refused.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator

import psutil
import pytest

from tests.support.balancers import KINDS, Balancer, running_balancer
from tests.support.databases import SqliteTemplate
from tests.support.experiment import Ask, Report, run_experiment
from tests.support.fleet import Fleet, running_fleet
from tests.support.redis import Redis, running_redis
from tests.support.server import EdgeServer

# `make faults` takes its time.
ROUNDS = 5 if os.environ.get("EDGE_TEST_FAULTS") == "all" else 1

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="module")
def fleet(
    redis: Redis, sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("experiments")
    url = sqlite_template.copy_to(folder / "edge.db")
    with running_fleet(url, folder, redis, SERVER_DRAIN_S="2") as running:
        yield running


@pytest.fixture(scope="module")
def balancer(fleet: Fleet) -> Iterator[Balancer]:
    with running_balancer(KINDS["haproxy"], "api", fleet.ports) as running:
        yield running


@pytest.fixture
def url(fleet: Fleet, balancer: Balancer) -> str:
    for replica in fleet.replicas:
        replica.wait_until(replica.is_ready)
    return f"http://127.0.0.1:{balancer.port}"


@pytest.fixture
def asks(fleet: Fleet) -> list[Ask]:
    """Half of them good; the others in all ways that have to be refused."""

    def bearer(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    good = Ask("/users/me", 200, bearer(fleet.tokens["anna"]))
    admin = Ask("/admin-area", 200, bearer(fleet.tokens["root"]))
    forged = f"{fleet.tokens['root'][:-4]}AAAA"
    return [
        good,
        Ask("/admin-area", 403, bearer(fleet.tokens["anna"])),
        admin,
        Ask("/admin-area", 401, bearer(forged)),
        good,
        Ask("/admin-area", 401),
    ]


def workers(server: EdgeServer) -> list[psutil.Process]:
    return [one for one in server.processes() if one.pid != server.pid and not _is_helper(one)]


def _is_helper(process: psutil.Process) -> bool:
    return "resource_tracker" in " ".join(process.cmdline())


def nothing_is_lost(report: Report) -> None:
    assert not report.unsafe, report.line()
    assert not report.lost, report.line()


async def test_f1_a_worker_is_killed(fleet: Fleet, url: str, asks: list[Ask]) -> None:
    """HAProxy asks the other replica, and the worker is replaced: no request is lost."""
    first = fleet.replicas[0]
    (worker,) = workers(first)

    async def fault() -> None:
        worker.kill()

    nothing_is_lost(await run_experiment("F1 SIGKILL of a worker", url, asks, fault))
    first.wait_until(lambda: bool(workers(first)) and first.is_ready())


async def test_f2_a_replica_is_killed(fleet: Fleet, url: str, asks: list[Ask]) -> None:
    """Its main process and its workers at once: the other replica serves all."""
    second = fleet.replicas[1]

    async def fault() -> None:
        second.kill()

    nothing_is_lost(await run_experiment("F2 SIGKILL of a replica", url, asks, fault))
    assert second.processes() == []
    await asyncio.to_thread(second.start)


async def test_f3_both_replicas_are_restarted_in_turns(
    fleet: Fleet, url: str, asks: list[Ask]
) -> None:
    """Rolling restarts under load lose nothing, and each server exits with 0."""
    codes = []

    async def fault() -> None:
        for _ in range(ROUNDS):
            for replica in fleet.replicas:
                codes.append(await asyncio.to_thread(replica.stop))
                await asyncio.to_thread(replica.start)
                # A balancer believes a replica that has come back after one good check.
                await asyncio.sleep(1.5)

    nothing_is_lost(await run_experiment(f"F3 {ROUNDS} rolling restarts", url, asks, fault))
    assert codes == [0, 0] * ROUNDS


async def test_f4_workers_are_replaced(fleet: Fleet, url: str, asks: list[Ask]) -> None:
    """SIGHUP starts a new worker before the old one goes."""

    async def fault() -> None:
        for replica in fleet.replicas:
            before = {one.pid for one in workers(replica)}
            replica.process.send_signal(signal.SIGHUP)
            await asyncio.to_thread(_wait_for_others, replica, before)

    nothing_is_lost(await run_experiment("F4 SIGHUP of both replicas", url, asks, fault))


def _wait_for_others(replica: EdgeServer, before: set[int]) -> None:
    """Wait until a server has one worker, which is none of these."""

    def are_replaced() -> bool:
        now = {one.pid for one in workers(replica)}
        return len(now) == 1 and not now & before

    replica.wait_until(are_replaced, 30)


async def test_f5_a_worker_hangs(fleet: Fleet, url: str, asks: list[Ask]) -> None:
    """A worker that is stopped holds up what it has; nobody is let through by that."""
    (worker,) = workers(fleet.replicas[0])

    async def fault() -> None:
        worker.suspend()
        await asyncio.sleep(5)
        worker.resume()

    report = await run_experiment("F5 SIGSTOP of a worker for 5 s", url, asks, fault)
    nothing_is_lost(report)
    # From when the balancer has noticed, until the worker goes on with what it has.
    noticed = [one for one in report.outcomes if 3.8 < one.at_s - report.fault_at_s < 4.8]
    assert noticed
    assert max(one.took_s for one in noticed) < 1, report.line()


@pytest.fixture
async def redis_is_back(fleet: Fleet, redis: Redis) -> AsyncIterator[None]:
    yield
    for replica in fleet.replicas:
        replica.wait_until(replica.is_ready)


async def test_f6_redis_is_killed(
    redis: Redis, url: str, asks: list[Ask], redis_is_back: None
) -> None:
    """Tokens need no Redis: nothing is lost, and limits are counted by each replica meanwhile."""

    async def fault() -> None:
        redis.stop()
        await asyncio.sleep(3)
        await asyncio.to_thread(redis.start)

    report = await run_experiment("F6 SIGKILL of Redis for 3 s", url, asks, fault)
    nothing_is_lost(report)


async def test_f7_redis_hangs(redis: Redis, url: str, asks: list[Ask], redis_is_back: None) -> None:
    """One that does not answer costs a request its budget at most, and then nothing."""

    async def fault() -> None:
        with redis.hanging():
            await asyncio.sleep(3)

    report = await run_experiment("F7 SIGSTOP of Redis for 3 s", url, asks, fault)
    nothing_is_lost(report)
