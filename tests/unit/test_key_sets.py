"""The keys of a trusted issuer: how long they are good, and how often they are asked for."""

import asyncio
from collections.abc import Iterable

import pytest

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens import key_sets
from edge.tokens.key_sets import FetchedKeys, FetchError, KeySetTiming, RemoteKeySet
from edge.tokens.keys import KeyRefusedError, VerifyingKey
from tests.support.fakes import NOW_S, FakeClock, Sleeps

REFRESH_S, STALE_S = 300, 3600


class House:
    """A key set over a provider that does as it is told; `jitter` is what intervals are times."""

    def __init__(self, *jitter: float) -> None:
        jitters = iter(jitter)
        self.clock = FakeClock(NOW_S)
        self.offered = ["k1"]
        self.failure: Exception | None = None
        self.fetches = 0
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.trusted: dict[str, float] = {}
        self.changes: list[list[str]] = []
        self.problems: list[str] = []
        self.key_set = RemoteKeySet(
            self,
            parse=self.parse,
            trust=self.trust,
            timing=KeySetTiming(
                refresh_s=REFRESH_S,
                stale_s=STALE_S,
                clock=self.clock,
                jitter=lambda: next(jitters),
            ),
            watcher=self,
        )

    async def fetch(self) -> bytes:
        self.fetches += 1
        self.is_asked.set()
        await self.may_answer.wait()
        if self.failure:
            raise self.failure
        return " ".join(self.offered).encode()

    async def close(self) -> None:
        pass

    def parse(self, document: bytes) -> FetchedKeys:
        keys = [
            VerifyingKey(kid=kid, algorithm="ES256", thumbprint=kid, verify=lambda *_: True)
            for kid in document.decode().split()
        ]
        return FetchedKeys(keys, ["one of them"])

    def trust(self, keys: Iterable[VerifyingKey]) -> None:
        self.trusted = {key.kid: key.retires_at_s for key in keys}

    def keys_changed(self, kids: list[str], left_out: list[str]) -> None:
        assert left_out == ["one of them"]
        self.changes.append(kids)

    def unavailable(self, problem: str) -> None:
        self.problems.append(problem)

    async def look(self, kid: str) -> bool | Reason:
        try:
            return await self.key_set.look_again(kid)
        except UnavailableError as error:
            return error.reason


@pytest.fixture
def house() -> House:
    return House()


AWAY = Reason.ISSUER_UNAVAILABLE


async def test_keys_are_good_for_the_bound_and_no_longer(house: House) -> None:
    """They carry their end with them, which a new fetch moves; beyond it, all is unknown: 503."""
    await house.key_set.refresh()
    assert house.trusted == {"k1": NOW_S + STALE_S}
    house.clock.forward(1000)
    await house.key_set.refresh()
    assert house.trusted == {"k1": NOW_S + 1000 + STALE_S}
    house.failure = FetchError("down")
    house.clock.forward(STALE_S - 1)
    assert await house.look("k1") is True
    house.clock.forward(1)
    assert await house.look("k1") is AWAY
    house.failure = None
    house.clock.forward(10)
    assert await house.look("k1") is True


async def test_an_unknown_key_is_a_refusal_only_when_the_set_is_known(house: House) -> None:
    """While the provider is away, an id that is not in the old set may be in the new one: 503."""
    assert await house.look("k2") is False
    house.failure = FetchError("down")
    house.clock.forward(10)
    assert await house.look("k3") is AWAY
    assert await house.look("k4") is AWAY
    assert house.fetches == 2
    house.failure = None
    house.clock.forward(10)
    assert await house.look("k3") is False


async def test_an_id_is_refused_only_by_a_fetch_that_began_after_it_was_met(house: House) -> None:
    """In the ten seconds between two fetches it is 503 with what is left of them; then 401."""
    assert await house.look("x") is False
    house.clock.forward(7.5)
    with pytest.raises(UnavailableError) as caught:
        await house.key_set.look_again("y")
    assert caught.value.retry_after_s == 3
    assert house.fetches == 1
    house.clock.forward(2.5)
    assert await house.look("z") is False
    assert [await house.look(kid) for kid in ("x", "y", "z")] == [False] * 3
    assert house.fetches == 2


async def test_a_new_key_works_after_the_pause_whatever_strangers_send(house: House) -> None:
    """One junk id just before a rotation, and the new key used all the time, delay it by 10 s."""
    assert await house.look("junk") is False
    house.offered = ["k1", "k2"]
    for _ in range(9):
        house.clock.forward(1)
        assert await house.look("k2") is AWAY
        assert await house.look("junk") is False
    house.clock.forward(1)
    assert await house.look("other junk") is False
    assert await house.look("k2") is True
    assert house.fetches == 2


async def test_what_was_met_during_a_fetch_is_not_refused_by_it(house: House) -> None:
    """The answer may be older than the id: who comes later is told to come again."""
    house.may_answer.clear()
    first = asyncio.create_task(house.look("x"))
    await house.is_asked.wait()
    second = asyncio.create_task(house.look("y"))
    await asyncio.sleep(0)
    house.may_answer.set()
    assert (await first, await second) == (False, AWAY)
    house.clock.forward(10)
    assert (await house.look("y"), house.fetches) == (False, 2)


async def test_an_unknown_id_is_remembered_for_a_minute_and_no_longer(house: House) -> None:
    """Using it does not make it longer; a look in the background ends it when the key is there."""
    assert [await house.look("x")] == [False]
    for _ in range(59):
        house.clock.forward(1)
        assert await house.look("x") is False
    assert house.fetches == 1
    house.clock.forward(1)
    assert await house.look("x") is False
    assert house.fetches == 2
    house.offered = ["x"]
    await house.key_set.refresh()
    assert await house.look("x") is True


async def test_a_key_that_is_gone_is_refused_at_once(house: House) -> None:
    """It was known before the fetch that has it no longer."""
    await house.key_set.refresh()
    house.offered = ["k2"]
    await house.key_set.refresh()
    assert await house.look("k1") is False
    assert house.fetches == 2


async def test_a_fetch_that_failed_refuses_nothing(house: House) -> None:
    """What an outage did not contain is unknown still: asked for again when the pause is over."""
    house.failure = FetchError("down")
    assert await house.look("x") is AWAY
    house.failure, house.offered = None, ["x"]
    house.clock.forward(10)
    assert await house.look("x") is True


async def test_the_memory_of_ids_is_bounded(house: House) -> None:
    """A flood of made-up ids costs one fetch in ten seconds, and each memory ends at 1,000."""
    for round_ in range(3):
        for number in range(2000):
            await house.look(f"x{round_}-{number}")
        house.clock.forward(10)
        assert house.fetches == round_ + 1
    assert len(house.key_set._unknown) == 1000  # noqa: SLF001  # its size is the law
    assert len(house.key_set._met) == 1000  # noqa: SLF001  # its size is the law


async def test_any_number_wait_for_one_fetch(house: House) -> None:
    """A thousand who ask at once make one request, and one who leaves takes it from nobody."""
    house.may_answer.clear()
    house.offered = ["new"]
    waiting = [asyncio.create_task(house.look("new")) for _ in range(1000)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    house.may_answer.set()
    assert await asyncio.gather(*waiting[1:]) == [True] * 999
    assert house.fetches == 1


@pytest.mark.parametrize(
    "failure", [FetchError("down"), KeyRefusedError("two keys have the same kid")], ids=str
)
async def test_an_outage_is_told_once(house: House, failure: Exception) -> None:
    """However often it fails; then again when it fails after it had worked."""
    await house.key_set.refresh()
    for _ in range(2):
        house.failure = failure
        for _ in range(3):
            await house.key_set.refresh()
        with pytest.raises(UnavailableError):
            await house.key_set.check()
        house.failure = None
        await house.key_set.refresh()
        await house.key_set.check()
    assert house.problems == [str(failure)] * 2
    assert house.changes == [["k1"]]


async def test_a_changed_set_is_told(house: House) -> None:
    """When the ids are others than before, and not each time."""
    for offered in (["k1"], ["k2", "k1"], ["k1", "k2"], ["k2"]):
        house.offered = offered
        await house.key_set.refresh()
    assert house.changes == [["k1"], ["k1", "k2"], ["k2"]]


async def test_never_fetched_is_away(house: House) -> None:
    """Before the first answer there is nothing to know: down, and 503."""
    house.failure = FetchError("down")
    with pytest.raises(UnavailableError):
        await house.key_set.check()
    assert await house.look("k1") is AWAY


async def test_keys_are_fetched_for_ever_at_the_intervals_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The jitter of each round is times 300 s, times 15 s while the provider is away."""
    sleeps, house = Sleeps(), House(0.9, 1.1, 1.0, 0.95)
    sleeps.replace_in(key_sets, monkeypatch)
    running = asyncio.create_task(house.key_set.run())
    seen = []
    for failure in (None, FetchError("down"), None):
        seen.append((round(await sleeps.next(), 6), house.fetches))
        house.failure = failure
        sleeps.wake()
    seen.append((round(await sleeps.next(), 6), house.fetches))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert seen == [(270, 0), (330, 1), (15, 2), (285, 3)]
