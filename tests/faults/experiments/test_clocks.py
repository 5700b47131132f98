"""F14: the clock of one of two replicas is wrong, and is set while it runs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.experiment import experiment
from tests.support.fleet import Fleet
from tests.support.logins import log_in, log_out, refresh
from tests.support.outcomes import Ask
from tests.support.quick_http import QuickHttp, quick_http
from tests.support.rotation import Watched, running_haproxy
from tests.support.rounds import LIMIT, SHARED_PATH, hit_at_once
from tests.support.server import EdgeServer
from tests.support.shifted import set_shift

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

LEEWAY_S = 5  # EDGE_TOKENS_LEEWAY_S, the default
SetClock = Callable[[float], None]


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("clock") / "shift"
    set_shift(file, 0)
    return file


@pytest.fixture(scope="module")
def skewed(fleet: Fleet, clock: Path) -> Iterator[EdgeServer]:
    """One more replica, on a clock of its own."""
    with fleet.new_replica("tests.support.shifted", str(clock)) as running:
        yield running


@pytest.fixture(scope="module")
def haproxy(fleet: Fleet, skewed: EdgeServer) -> Iterator[Watched]:
    """It stands before a replica with the right clock and that one."""
    with running_haproxy((fleet.replicas[0].port, skewed.port)) as running:
        yield running


@pytest.mark.parametrize("shifts", [(LEEWAY_S - 1, 1 - LEEWAY_S)])
async def test_f14_clocks_that_differ_within_the_leeway(
    fleet: Fleet, skewed: EdgeServer, clock: Path, port: int, asks: list[Ask], shifts: list[float]
) -> None:
    """Nothing is lost: each replica takes what the other has just given out."""
    async with (
        experiment(
            f"F14 a clock {shifts[0]} s ahead, then {-shifts[1]} s behind", port, asks
        ) as running,
        quick_http(fleet.replicas[0].port) as right,
        quick_http(skewed.port) as wrong,
    ):
        for shift_s in shifts:
            set_shift(clock, shift_s)
            for here, there in ((right, wrong), (wrong, right)):
                login = await log_in(running, fleet, here)
                assert login is not None
                await running.ask(Ask("/user-area", 200, login.fields), there)
                renewed = await refresh(running, login)
                assert renewed is not None
                await running.ask(Ask("/user-area", 200, renewed.fields), there)
            assert await hit_at_once(running, 20) == LIMIT
    running.report.assert_nothing_is_lost()


@pytest.mark.parametrize("shift_s", [3600, pytest.param(-600, marks=pytest.mark.thorough)])
async def test_f14_clocks_that_differ_by_far(
    fleet: Fleet, skewed: EdgeServer, clock: Path, port: int, asks: list[Ask], shift_s: int
) -> None:
    """Who is ahead gives out tokens that nobody else takes yet; all else is by other clocks."""
    async with (
        experiment(f"F14 a clock that is set by {shift_s:+} s", port, asks) as running,
        quick_http(fleet.replicas[0].port) as right,
        quick_http(skewed.port) as wrong,
    ):
        set_shift(clock, shift_s)
        behind, ahead = (right, wrong) if shift_s > 0 else (wrong, right)
        login = await log_in(running, fleet, ahead)
        assert login is not None
        await running.ask(Ask("/user-area", 401, login.fields), behind)
        await running.ask(Ask("/user-area", 200, login.fields), ahead)
        assert await refresh(running, login) is not None  # by the clock of the database
        await log_out(running, login, ahead)
        for asked in (ahead, behind):
            await running.ask(Ask("/user-area", 401, login.fields), asked)
        assert await hit_at_once(running, 20) == LIMIT  # by the clock of Redis
        assert await shortest_wait_s(wrong) > 0
        set_shift(clock, 0)
    running.report.assert_nobody_got_in()
    # A replica that is behind takes no token that is younger than its clock is late.
    assert {one.status for one in running.report.lost} <= ({401} if shift_s < 0 else set())
    assert '"level":"error"' not in skewed.error_text()


async def shortest_wait_s(http: QuickHttp) -> int:
    fields = {"X-Round": "waiting"}
    answers = [await http.ask("GET", SHARED_PATH, fields) for _ in range(2 * LIMIT)]
    return min(int(answer.fields["retry-after"]) for answer in answers if answer.status == 429)
