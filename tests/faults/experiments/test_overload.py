"""F19 and F23: more logins than can be hashed, beside requests that need no hash."""

import asyncio
from collections.abc import Iterator

import psutil
import pytest

from tests.support.databases import SqliteTemplate
from tests.support.experiment import Experiment, experiment
from tests.support.fleet import Fleet, running_fleet
from tests.support.outcomes import Ask, Outcome, percentile
from tests.support.processes import workers
from tests.support.redis import Redis
from tests.support.rotation import Watched, running_haproxy

pytestmark = [pytest.mark.server, pytest.mark.thorough, pytest.mark.timeout(300)]

LOOK_S = 0.05
QUEUE_S = 0.5  # how long a login may wait for its turn
HASH_MIB = 64  # the default, as are passes and lanes
# What a request may take beyond that on a busy machine: an order of magnitude, no measure.
PATIENCE_S = 1.5
FLOOD, FLOODS = 100, 4
KNEE_S, OVERLOAD_S, CALM_S = 4, 8, 6
RECOVERY_S = 2
AT_ONCE = 4  # as many as keep both replicas busy, and little more


@pytest.fixture(scope="module")
def fleet(
    redis: Redis, sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """One whose passwords are as dear as they are by default; a core for each replica."""
    folder = tmp_path_factory.mktemp("overload")
    url = sqlite_template.copy_to(folder / "edge.db")
    settings = {"PASSWORDS_HASH_CONCURRENCY": "1", "PASSWORDS_QUEUE_TIMEOUT_S": str(QUEUE_S)}
    with running_fleet(url, folder, redis, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def haproxy(fleet: Fleet) -> Iterator[Watched]:
    with running_haproxy(fleet.ports) as running:
        yield running


async def test_f19_a_flood_of_wrong_passwords(fleet: Fleet, port: int, asks: list[Ask]) -> None:
    """Tokens are checked as before, one hash at a time is computed, the others are told to wait."""
    wrong = {"username": "anna", "password": "no password of anybody"}
    guess = Ask("/login", 401, method="POST", body=wrong)
    found = [worker for replica in fleet.replicas for worker in workers(replica)]
    before = most = most_mib(found)
    async with experiment(
        f"F19 {FLOOD} wrong passwords at once, {FLOODS} times", port, asks
    ) as running:
        for _ in range(FLOODS):
            guesses = asyncio.gather(*(running.ask(guess) for _ in range(FLOOD)))
            while not guesses.done():
                most = max(most, most_mib(found))
                await asyncio.sleep(LOOK_S)
            await guesses
    report = running.report
    report.assert_nothing_is_lost()
    assert {one.ask.path for one in report.delayed} == {"/login"}, report.line()
    # Medians: hashes, clients and HAProxy share two cores, and with whatever else runs.
    assert percentile(report.delayed, 0.5) < QUEUE_S + PATIENCE_S, report.line()
    assert percentile(report.after_fault("/admin-area"), 0.5) < PATIENCE_S, report.line()
    assert most < before + 1.5 * HASH_MIB, (before, most)


def most_mib(found: list[psutil.Process]) -> float:
    """Give what the one holds that holds most."""
    return max(float(process.memory_info().rss) for process in found) / 2**20


async def test_f23_three_times_as_many_logins_as_can_be_served(
    fleet: Fleet, port: int, asks: list[Ask]
) -> None:
    """As many succeed as ever can; the others are told to wait, and when it is over it is over."""
    anna = {"username": "anna", "password": fleet.passwords["anna"]}
    login = Ask("/login", 200, method="POST", body=anna)
    async with experiment("F23 three times the logins that can be served", port, asks) as running:
        knee = await most_a_second(running, login)
        running.fault_at_s = running.now_s()
        await offer(running, login, 3 * knee, OVERLOAD_S)
        running.ended_at_s = running.now_s()
        await offer(running, login, knee / 2, CALM_S)
    report = running.report
    over_at_s = report.ended_at_s + RECOVERY_S
    during = [one for one in logins(report.after_fault()) if one.at_s < report.ended_at_s]
    calm = [one for one in logins(report.after_fault()) if one.at_s >= over_at_s]
    served = [one for one in during if one.status == 200]
    goodput = len(served) / OVERLOAD_S
    print(f"F23 {knee:.1f} logins a second can be served, {goodput:.1f} were")  # noqa: T201  # as the line before it
    report.assert_nothing_is_lost()
    assert goodput > 0.6 * knee
    # Five times what it takes where each waits for the one before it.
    assert percentile(served, 0.99) < QUEUE_S + 5 * AT_ONCE / knee, report.line()
    assert sum(one.status == 200 for one in calm) > 0.8 * len(calm), report.line()


async def most_a_second(running: Experiment, login: Ask) -> float:
    """Give how many logins a second are served where each waits for the one before it."""
    began_s, count = running.now_s(), 0

    async def one_after_the_other() -> None:
        nonlocal count
        while running.now_s() < began_s + KNEE_S:
            answer = await running.ask(login)
            count += answer is not None and answer.is_success

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    return count / (running.now_s() - began_s)


async def offer(running: Experiment, login: Ask, rate_per_s: float, seconds: float) -> None:
    """Ask at this rate, however many are under way."""
    loading = asyncio.create_task(running.load([login], rate_per_s))
    await asyncio.sleep(seconds)
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)


def logins(outcomes: list[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if one.ask.path == "/login"]
