"""The keys of a trusted issuer: how long they are good, and how often they are asked for."""

import asyncio
from collections.abc import Iterable

import pytest

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.key_sets import FetchedKeys, FetchError, KeySetTiming, RemoteKeySet
from edge.tokens.keys import KeyRefusedError, VerifyingKey
from tests.support.fakes import NOW_S, FakeClock

REFRESH_S, STALE_S = 300, 3600


class House:
    """A key set over a provider that does as it is told."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW_S)
        self.offered = ["k1"]
        self.failure: Exception | None = None
        self.fetches = 0
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
                refresh_s=REFRESH_S, stale_s=STALE_S, clock=self.clock, jitter=lambda: 1.0
            ),
            watcher=self,
        )

    async def fetch(self) -> bytes:
        self.fetches += 1
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


async def test_asking_is_limited_and_an_unknown_id_is_remembered(house: House) -> None:
    """One fetch in ten seconds, and for the same unknown id one in sixty."""
    assert await house.look("x") is False
    house.clock.forward(9.9)
    assert await house.look("y") is False
    assert house.fetches == 1
    house.clock.forward(0.1)
    assert [await house.look(kid) for kid in ("x", "y")] == [False, False]
    assert house.fetches == 1
    assert await house.look("z") is False
    assert house.fetches == 2
    house.clock.forward(60)
    assert await house.look("x") is False
    assert house.fetches == 3


async def test_the_memory_of_unknown_ids_is_bounded(house: House) -> None:
    """A flood of made-up ids pushes out the oldest of them, and nothing else grows."""
    for number in range(2000):
        assert await house.look(f"x{number}") is False
    assert len(house.key_set._unknown) == 1000  # noqa: SLF001  # its size is the law
    assert house.fetches == 1


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
