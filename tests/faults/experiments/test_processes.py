"""F1 to F5: workers and replicas are killed, restarted, replaced, and hang.

The numbers are those of docs/reliability.md. In no experiment may anybody be let through who should
be refused.
"""

import asyncio
import signal

import pytest

from tests.support.experiment import experiment
from tests.support.fleet import Fleet
from tests.support.outcomes import Ask, percentile
from tests.support.ports import is_listening
from tests.support.processes import workers
from tests.support.rotation import Watched
from tests.support.server import EdgeServer

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


async def test_f1_a_worker_is_killed(fleet: Fleet, port: int, asks: list[Ask]) -> None:
    """HAProxy asks the other replica, and the worker is replaced: no request is lost."""
    first = fleet.replicas[0]
    (worker,) = workers(first)
    async with experiment(
        "F1 SIGKILL of a worker", port, asks, sign=lambda: not first.is_ready()
    ) as running:
        worker.kill()
        await running.until(lambda: not worker.is_running())
    running.report.assert_all_are_served()
    assert workers(first) != [worker]


async def test_f2_a_replica_is_killed(
    fleet: Fleet, haproxy: Watched, port: int, asks: list[Ask]
) -> None:
    """Its main process and its workers at once: the other replica serves all."""
    second = fleet.replicas[1]
    async with experiment(
        "F2 SIGKILL of a replica", port, asks, sign=haproxy.is_one_out
    ) as running:
        await asyncio.to_thread(second.kill)
        assert second.processes() == []
        await asyncio.to_thread(second.wait_until, haproxy.is_one_out)
        await asyncio.to_thread(second.start)
    running.report.assert_all_are_served()


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.thorough)])
async def test_f3_both_replicas_are_restarted_in_turns(
    fleet: Fleet,
    haproxy: Watched,
    port: int,
    asks: list[Ask],
    logins: list[Ask],
    rounds: int,
) -> None:
    """Rolling restarts under load lose nothing, no login either, and each server exits with 0."""
    codes = []
    async with experiment(
        f"F3 rolling restarts, {rounds} of each replica",
        port,
        asks * 4 + logins,
        sign=haproxy.is_one_out,
    ) as running:
        for replica in fleet.replicas * rounds:
            stopping = asyncio.create_task(asyncio.to_thread(replica.stop))
            await running.until(haproxy.is_one_out)
            assert is_listening(replica.port)  # and whoever is late is served
            codes.append(await stopping)
            await asyncio.to_thread(replica.start)
            await asyncio.to_thread(replica.wait_until, haproxy.are_all_in)
    running.report.assert_all_are_served()
    assert codes == [0, 0] * rounds


async def test_f4_workers_are_replaced(fleet: Fleet, port: int, asks: list[Ask]) -> None:
    """SIGHUP starts a new worker before the old one goes."""
    async with experiment("F4 SIGHUP of both replicas", port, asks) as running:
        for replica in fleet.replicas:
            before = {one.pid for one in workers(replica)}
            replica.process.send_signal(signal.SIGHUP)
            await asyncio.to_thread(_wait_for_others, replica, before)
    running.report.assert_all_are_served()


def _wait_for_others(replica: EdgeServer, before: set[int]) -> None:
    """Wait until a server has one worker, which is none of these."""

    def are_replaced() -> bool:
        now = {one.pid for one in workers(replica)}
        return len(now) == 1 and not now & before

    replica.wait_until(are_replaced, 30)


async def test_f5_a_worker_hangs(
    fleet: Fleet, haproxy: Watched, port: int, asks: list[Ask]
) -> None:
    """A worker that is stopped holds up what it has; once HAProxy knows, nobody else waits."""
    (worker,) = workers(fleet.replicas[0])
    async with experiment(
        "F5 SIGSTOP of a worker for 5 s", port, asks, sign=haproxy.is_one_out
    ) as running:
        worker.suspend()
        try:
            await asyncio.to_thread(fleet.replicas[0].wait_until, haproxy.is_one_out)
            noticed_at_s = running.now_s()
            await asyncio.sleep(max(5 - (noticed_at_s - running.fault_at_s), 1))
        finally:
            worker.resume()
    report = running.report
    report.assert_all_are_served()
    noticed = [one for one in report.outcomes if noticed_at_s < one.at_s < report.ended_at_s]
    assert noticed
    assert percentile(noticed, 1) < 1, report.line()
