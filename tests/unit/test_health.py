"""Readiness: this process, and what it depends on."""

import asyncio

import pytest

from edge.telemetry import health as module
from edge.telemetry.draining import Draining
from edge.telemetry.health import Health, Readiness


async def up() -> None:
    """Answer."""


async def down() -> None:
    raise ConnectionError


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_a_process_is_not_ready_until_it_says_so() -> None:
    """Readiness is switched on and off by the process alone."""
    health = Health(Draining())
    assert await health.readiness() == Readiness(ready=False, draining=False, dependencies={})
    health.set_ready(ready=True)
    assert await health.readiness() == Readiness(ready=True, draining=False, dependencies={})
    health.set_ready(ready=False)
    assert await health.readiness() == Readiness(ready=False, draining=False, dependencies={})


async def test_a_process_that_drains_is_not_ready() -> None:
    """It says why, and serves what comes all the same."""
    draining = Draining()
    health = Health(draining)
    health.set_ready(ready=True)
    draining.begin()
    assert await health.readiness() == Readiness(ready=False, draining=True, dependencies={})


@pytest.mark.parametrize("ready", [True, False])
async def test_dependencies_are_told_and_decide_nothing(ready: bool) -> None:  # noqa: FBT001  # a row of the table
    """A shared dependency that is down does not turn every replica red at once."""
    health = Health(Draining())
    health.set_ready(ready=ready)
    health.add("database", up)
    health.add("redis", down)
    assert await health.readiness() == Readiness(
        ready=ready, draining=False, dependencies={"database": "up", "redis": "down"}
    )


@pytest.mark.parametrize("fault", [OSError(), TimeoutError(), ValueError(), AssertionError()])
async def test_whatever_a_check_raises_means_down(fault: Exception) -> None:
    """No failing check makes readiness itself fail."""

    async def failing() -> None:
        raise fault

    health = Health(Draining())
    health.add("database", failing)
    assert (await health.readiness()).dependencies == {"database": "down"}


async def test_a_check_that_hangs_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time a check counts as down, and the others are not kept from answering."""
    monkeypatch.setattr(module, "_CHECK_TIMEOUT_S", 0.01)
    health = Health(Draining())
    health.add("database", hangs)
    health.add("redis", up)
    assert (await health.readiness()).dependencies == {"database": "down", "redis": "up"}


async def test_a_check_that_takes_long_is_not_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks meanwhile waits for the same one; when it has ended, for a new one."""
    monkeypatch.setattr(module, "_CHECK_TIMEOUT_S", 0.01)
    began, may_end = 0, asyncio.Event()

    async def slow() -> None:
        nonlocal began
        began += 1
        await may_end.wait()

    health = Health(Draining())
    health.add("database", slow)
    for _ in range(3):
        assert (await health.readiness()).dependencies == {"database": "down"}
    assert began == 1
    may_end.set()
    assert (await health.readiness()).dependencies == {"database": "up"}
    assert began == 2


async def test_what_is_under_way_ends_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check does not outlive what it asks."""
    monkeypatch.setattr(module, "_CHECK_TIMEOUT_S", 0.01)
    health = Health(Draining())
    health.add("database", hangs)
    health.add("redis", up)
    await health.readiness()
    await health.close()
    assert len(asyncio.all_tasks()) == 1


async def test_a_check_that_never_ends_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """After long enough it counts as failed, so that what comes back is seen to be back."""
    monkeypatch.setattr(module, "_LONGEST_CHECK_S", 0.01)
    checks = [hangs, up]

    async def recovering() -> None:
        await checks.pop(0)()

    health = Health(Draining())
    health.add("database", recovering)
    assert (await health.readiness()).dependencies == {"database": "down"}
    assert (await health.readiness()).dependencies == {"database": "up"}


async def test_checks_run_at_the_same_time() -> None:
    """Two checks that wait for each other are both up."""
    meeting = asyncio.Barrier(2)

    async def meets() -> None:
        await meeting.wait()

    health = Health(Draining())
    health.add("one", meets)
    health.add("other", meets)
    assert (await health.readiness()).dependencies == {"one": "up", "other": "up"}


async def test_a_state_is_of_now() -> None:
    """Nothing is remembered: a dependency that comes back is up with the next question."""
    answers = [down, up]

    async def recovering() -> None:
        await answers.pop(0)()

    health = Health(Draining())
    health.add("database", recovering)
    assert (await health.readiness()).dependencies == {"database": "down"}
    assert (await health.readiness()).dependencies == {"database": "up"}


async def test_whoever_stops_asking_is_not_answered() -> None:
    """Cancellation goes through; it is not a state of a dependency."""
    health = Health(Draining())
    health.add("database", hangs)
    question = asyncio.create_task(health.readiness())
    await asyncio.sleep(0)
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
