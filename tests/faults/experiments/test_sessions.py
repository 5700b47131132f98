"""F16 and F17: one refresh token in many hands, and tokens that were revoked a moment ago."""

import asyncio

import pytest

from tests.support.experiment import IS_THOROUGH, Experiment, experiment
from tests.support.fleet import Fleet
from tests.support.logins import Login, log_in, log_out, refresh, use_everywhere
from tests.support.outcomes import Ask, percentile
from tests.support.quick_http import QuickHttp, quick_http
from tests.support.raw_http import asked
from tests.support.rotation import Watched

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

OVERLAP_S = 10  # of a refresh token with its successor; the default
BOUND_S = 1.0  # after which a revocation holds everywhere; the default
LOGOUTS = 1000 if IS_THOROUGH else 40
AT_ONCE = 8


async def test_f16_one_refresh_token_in_many_hands(
    fleet: Fleet, haproxy: Watched, port: int, asks: list[Ask]
) -> None:
    """All get one successor, also whose answer was lost; an older one ends the session."""
    async with experiment(
        "F16 one refresh token 2, 5 and 50 times at once, then by a thief", port, asks
    ) as running:
        first = held = await log_in(running, fleet)
        assert first is not None
        for times in (2, 5, 50):
            assert held is not None
            await asyncio.to_thread(lose_the_answer, haproxy.port, held)
            found = await asyncio.gather(*(refresh(running, held) for _ in range(times)))
            assert len({login and login.refresh_token for login in found}) == 1
            held = found[0]
        assert held is not None
        await use_everywhere(running, fleet, held, 200)
        await refresh(running, first, status=401)  # the thief, who ends it for both
        await asyncio.sleep(BOUND_S)
        await use_everywhere(running, fleet, held, 401)
        await refresh(running, held, status=401)
    running.report.assert_nothing_is_lost()


def lose_the_answer(port: int, login: Login) -> None:
    """Use the refresh token and hang up without having read what comes of it."""
    body = b'{"refresh_token":"%s"}' % login.refresh_token.encode()
    fields = ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    with asked(port, b"/refresh-token", fields, "POST") as connection:
        connection.sendall(body)


@pytest.mark.thorough
async def test_f16_a_thief_who_comes_after_the_overlap(
    fleet: Fleet, port: int, asks: list[Ask]
) -> None:
    """The predecessor is good for nothing then, and whoever brings it ends the session."""
    async with experiment("F16 a refresh token after its overlap", port, asks) as running:
        stolen = await log_in(running, fleet)
        assert stolen is not None
        held = await refresh(running, stolen)
        assert held is not None
        await asyncio.sleep(OVERLAP_S + 0.5)
        await refresh(running, stolen, status=401)
        await asyncio.sleep(BOUND_S)
        await use_everywhere(running, fleet, held, 401)
        await refresh(running, held, status=401)
    running.report.assert_nothing_is_lost()


async def test_f17_revoked_at_one_replica_and_used_at_the_other(
    fleet: Fleet, port: int, asks: list[Ask]
) -> None:
    """None is accepted once the bound is over, and most are refused long before."""
    lags: list[float] = []
    async with (
        experiment(f"F17 {LOGOUTS} logouts, used at the other replica", port, asks) as running,
        quick_http(fleet.replicas[0].port) as one,
        quick_http(fleet.replicas[1].port) as other,
    ):
        for number in range(0, LOGOUTS, AT_ONCE):
            held = [await log_in(running, fleet) for _ in range(AT_ONCE)]
            here, there = (one, other) if number % (2 * AT_ONCE) else (other, one)
            found = [revoke_and_use(running, login, here, there) for login in held if login]
            lags += await asyncio.gather(*found)
    print(f"F17 refused at the other replica after {max(lags):.2f} s at most")  # noqa: T201  # as the line before it
    running.report.assert_nothing_is_lost()
    assert percentile(running.report.outcomes, 1) < 10


async def revoke_and_use(
    running: Experiment, login: Login, here: QuickHttp, there: QuickHttp
) -> float:
    """Log out here, and use the token there until it is refused; gives how long that took.

    Once the bound is over, it is an unsafe accept.
    """
    await running.ask(Ask("/user-area", 200, login.fields), there)
    await log_out(running, login, here)
    acknowledged_s = running.now_s()
    status = 0
    while status != 401 and running.now_s() < acknowledged_s + BOUND_S:
        status = (await there.ask("GET", "/user-area", login.fields)).status
    lag_s = running.now_s() - acknowledged_s
    await running.ask(Ask("/user-area", 401, login.fields), there)
    return lag_s
