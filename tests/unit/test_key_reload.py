"""Looking for keys again: once for any number of unknown ids, and never too often."""

import asyncio

import pytest

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.key_reload import KeyReloader
from tests.support.fakes import FakeClock


class Keys:
    """A store of keys that counts looks, can be held up, and can be away."""

    def __init__(self) -> None:
        self.stored = {"known"}
        self.loaded: set[str] = set()
        self.looks = 0
        self.rotations = 0
        self.failure: Exception | None = None
        self.failures: list[Exception] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.has_looked = asyncio.Event()
        self.clock = FakeClock(100.0)

    async def load(self) -> None:
        self.looks += 1
        await self.may_answer.wait()
        self.has_looked.set()
        if self.failure:
            raise self.failure
        self.loaded = set(self.stored)

    async def rotate(self) -> None:
        self.rotations += 1

    def reloader(self, interval_s: float = 3600) -> KeyReloader:
        return KeyReloader(
            self.load,
            _Live(self),
            interval_s=interval_s,
            clock=self.clock,
            failed=self.failures.append,
            rotate=self.rotate,
        )


class _Live:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def __contains__(self, kid: object) -> bool:
        return kid in self._keys.loaded


async def test_a_thousand_unknown_ids_cost_one_look() -> None:
    """Any number of requests wait for one look; within a second of it there is no other."""
    keys = Keys()
    keys.may_answer.clear()
    reloader = keys.reloader()
    waiting = [asyncio.create_task(reloader.look_again(f"unknown-{n}")) for n in range(1000)]
    await asyncio.sleep(0)
    keys.may_answer.set()
    assert await asyncio.gather(*waiting) == [False] * 1000
    keys.clock.now += 0.999
    assert not await reloader.look_again("unknown")
    assert keys.looks == 1
    keys.clock.now += 0.001
    assert not await reloader.look_again("unknown")
    assert keys.looks == 2


async def test_a_key_that_was_just_added_is_found() -> None:
    """Looking again finds what another replica has added since."""
    keys = Keys()
    keys.stored.add("new")
    assert await keys.reloader().look_again("new")


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (UnavailableError(Reason.STORE_UNAVAILABLE), Reason.STORE_UNAVAILABLE),
        (ValueError("sealed under another key"), Reason.SIGNING_UNAVAILABLE),
    ],
)
async def test_where_keys_cannot_be_read_an_unknown_id_is_no_refusal(
    failure: Exception, reason: Reason
) -> None:
    """It is 503, for the first who asks and for those who come within the second."""
    keys = Keys()
    keys.failure = failure
    reloader = keys.reloader()
    for _ in range(2):
        with pytest.raises(UnavailableError) as caught:
            await reloader.look_again("unknown")
        assert caught.value.reason is reason
    assert keys.looks == 1
    assert keys.failures == [failure]
    keys.failure = None
    keys.clock.now += 1
    assert not await reloader.look_again("unknown")


async def test_who_goes_away_does_not_stop_the_look_of_others() -> None:
    """Of two that wait for one look, one is cancelled; the other gets its answer."""
    keys = Keys()
    keys.stored.add("new")
    keys.may_answer.clear()
    reloader = keys.reloader()
    gone, stays = (asyncio.create_task(reloader.look_again("new")) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    keys.may_answer.set()
    assert await stays


async def test_being_woken_makes_it_look_at_once() -> None:
    """A wake is a look now, and not after the interval; a failing one is not the end."""
    keys = Keys()
    reloader = keys.reloader()
    running = asyncio.create_task(reloader.run())
    async with asyncio.timeout(5):
        await keys.has_looked.wait()
    for failure in (ValueError("once"), None):
        keys.failure = failure
        keys.has_looked.clear()
        reloader.wake()
        async with asyncio.timeout(5):
            await keys.has_looked.wait()
    assert keys.looks == keys.rotations == 3
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_changed_before_it_ran_is_seen() -> None:
    """A wake between the first load and the first run is not lost."""
    keys = Keys()
    reloader = keys.reloader()
    keys.stored.add("new")
    reloader.wake()
    running = asyncio.create_task(reloader.run())
    async with asyncio.timeout(5):
        await keys.has_looked.wait()
    assert "new" in keys.loaded
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_it_looks_by_itself() -> None:
    """Nobody needs to wake it: it looks every interval."""
    keys = Keys()
    running = asyncio.create_task(keys.reloader(interval_s=0.001).run())
    async with asyncio.timeout(5):
        while keys.looks < 3:
            keys.has_looked.clear()
            await keys.has_looked.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
