"""F22: file descriptors run out, and clients hold connections that they hardly use."""

import asyncio

import psutil
import pytest

from tests.support.experiment import experiment
from tests.support.fleet import Fleet
from tests.support.outcomes import Ask
from tests.support.processes import workers
from tests.support.rotation import Watched
from tests.support.slow_clients import BODY, HEAD, NOTHING, holding

pytestmark = [pytest.mark.server, pytest.mark.thorough, pytest.mark.timeout(300)]

FAULT_S = 5
IDLE, SLOW = 1000, 300
RECOVERY_S = 5.0
SPARE_DESCRIPTORS = 20


async def test_f22_a_worker_has_no_descriptors_left(
    fleet: Fleet, haproxy: Watched, port: int, asks: list[Ask]
) -> None:
    """The other replica serves; the worker accepts again as soon as it can."""
    first = fleet.replicas[0]
    (worker,) = workers(first)
    before = worker.rlimit(psutil.RLIMIT_NOFILE)
    async with experiment(
        f"F22 a worker without descriptors, {IDLE} idle connections",
        port,
        asks,
        sign=lambda: haproxy.is_one_out() or not first.is_ready(),
    ) as running:
        worker.rlimit(psutil.RLIMIT_NOFILE, (worker.num_fds() + SPARE_DESCRIPTORS, before[1]))
        try:
            async with holding(first.port, IDLE, NOTHING):
                await running.until(lambda: not first.is_ready())
                await asyncio.sleep(FAULT_S)
        finally:
            worker.rlimit(psutil.RLIMIT_NOFILE, before)
    running.report.assert_nothing_is_lost()
    assert running.report.recovered_s < RECOVERY_S, running.report.line()
    assert workers(first) == [worker]


@pytest.mark.parametrize(
    ("what", "begun"), [("heads", HEAD), ("bodies", BODY)], ids=["heads", "bodies"]
)
async def test_f22_slow_clients(
    fleet: Fleet, haproxy: Watched, port: int, asks: list[Ask], what: str, begun: bytes
) -> None:
    """Who sends a byte from time to time is in nobody's way."""
    async with (
        experiment(
            f"F22 {SLOW} clients send {what} byte by byte", port, asks, sign=haproxy.is_one_out
        ) as running,
        holding(haproxy.port, SLOW, begun),
    ):
        await asyncio.sleep(FAULT_S)
    running.report.assert_all_are_served()
