"""Steps that are let come to their end."""

import asyncio

import pytest

from edge.uncut import to_its_end


async def test_a_step_ends_before_whoever_waits_for_it_is_cancelled() -> None:
    """It is not cut off, and nobody goes on while it still runs."""
    begun, may_end, steps = asyncio.Event(), asyncio.Event(), []

    async def step() -> None:
        begun.set()
        await may_end.wait()
        steps.append("ended")

    waiting = asyncio.create_task(to_its_end(step()))
    await begun.wait()
    waiting.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert steps == ["ended"]


async def test_a_step_that_does_not_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever for a database that is away."""
    monkeypatch.setattr("edge.uncut._LONGEST_S", 0.01)
    begun, never = asyncio.Event(), asyncio.Event()

    async def step() -> None:
        begun.set()
        await never.wait()

    waiting = asyncio.create_task(to_its_end(step()))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(1):
        await asyncio.gather(
            *asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True
        )


async def test_what_a_step_gives_is_passed_on() -> None:
    """Its result, and what it raises."""

    async def step(result: int) -> int:
        if not result:
            message = "nothing"
            raise ValueError(message)
        return result

    assert await to_its_end(step(3)) == 3
    with pytest.raises(ValueError, match="nothing"):
        await to_its_end(step(0))
