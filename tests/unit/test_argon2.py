"""Argon2id behind its gate. Where only the gate matters, a hash that waits stands in for argon2."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import argon2
import pytest

from edge.accounts.argon2 import Argon2Hasher
from edge.faults import UnavailableError
from edge.reasons import Reason
from tests.support.secrets import remember

PASSWORD = "a made-up password of argon2"
remember(PASSWORD)


def cheapest(
    *,
    concurrency: int = 2,
    queue_timeout_s: float = 30.0,
    refused: Callable[[], None] = lambda: None,
) -> Argon2Hasher:
    return Argon2Hasher(
        time_cost=1,
        memory_kib=8,
        parallelism=1,
        concurrency=concurrency,
        queue_timeout_s=queue_timeout_s,
        refused=refused,
    )


@pytest.fixture
def hasher() -> Iterator[Argon2Hasher]:
    made = cheapest()
    yield made
    made.close()


class Bench:
    """Hashes that lie on a bench until `finish` lets one of them end; counts those at work."""

    def __init__(self) -> None:
        self.at_work = 0
        self.most_at_work = 0
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._may_end = threading.Semaphore(0)
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        with self._lock:
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
        self._loop.call_soon_threadsafe(self.begun.put_nowait, password)
        self._may_end.acquire()
        with self._lock:
            self.at_work -= 1
        return f"hash of {password}"

    def finish(self, count: int = 1) -> None:
        self._may_end.release(count)


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Put a bench in the place of the library."""
    made = Bench()
    monkeypatch.setattr(argon2, "PasswordHasher", lambda **_: made)
    yield made
    made.finish(1000)  # no thread is left waiting


async def turn_the_loop(times: int = 100) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


# Hashing.


async def test_the_right_password_matches_its_hash(hasher: Argon2Hasher) -> None:
    """A hash is argon2id, holds its parameters and matches the password it was made of."""
    made = await hasher.hash(PASSWORD)
    assert made.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert await hasher.verify(made, PASSWORD)


@pytest.mark.parametrize(
    "wrong",
    ["", PASSWORD.upper(), PASSWORD + " ", PASSWORD + "\0", PASSWORD[:-1], "\0" + PASSWORD],
)
async def test_any_other_password_does_not_match(hasher: Argon2Hasher, wrong: str) -> None:
    """A password that differs in case, space, NUL or length is wrong."""
    assert not await hasher.verify(await hasher.hash(PASSWORD), wrong)


async def test_nothing_behind_a_nul_is_cut_off(hasher: Argon2Hasher) -> None:
    """A password with a NUL in it is compared to its end."""
    made = await hasher.hash("first half\0second half")
    assert await hasher.verify(made, "first half\0second half")
    assert not await hasher.verify(made, "first half")
    assert not await hasher.verify(made, "first half\0another half")


async def test_long_passwords_are_compared_to_their_end(hasher: Argon2Hasher) -> None:
    """1,024 characters of four bytes each all count."""
    password = "\U0001f511" * 1024
    made = await hasher.hash(password)
    assert await hasher.verify(made, password)
    assert not await hasher.verify(made, password[:-1] + "\U0001f512")


async def test_two_hashes_of_one_password_differ(hasher: Argon2Hasher) -> None:
    """Every hash has a salt of its own."""
    assert await hasher.hash(PASSWORD) != await hasher.hash(PASSWORD)


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "plain text",
        "$",
        "$argon2id$",
        "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21l$",
        "$argon2id$v=19$m=99999999999,t=1,p=1$c29tZXNhbHQ$AAAA",
        "$argon2id$\0",
        "$argon2id$h\u00e4sh",
        "$2b$12$" + "a" * 53,
        "{SSHA}c29tZXNhbHRzb21l",
    ],
)
async def test_nothing_matches_what_is_no_hash(hasher: Argon2Hasher, garbage: str) -> None:
    """A stored value that is not of argon2 matches no password, and is no fault."""
    assert await hasher.verify(garbage, PASSWORD) is False


async def test_a_hash_of_other_parameters_is_outdated_and_still_matches(
    hasher: Argon2Hasher,
) -> None:
    """What was hashed with other costs is recognised, and verified with the costs it names."""
    stronger = Argon2Hasher(
        time_cost=2, memory_kib=16, parallelism=1, concurrency=1, queue_timeout_s=30
    )
    made = await stronger.hash(PASSWORD)
    stronger.close()
    assert hasher.is_outdated(made)
    assert await hasher.verify(made, PASSWORD)
    assert not hasher.is_outdated(await hasher.hash(PASSWORD))


# The gate.


@pytest.mark.parametrize("slots", [1, 3])
async def test_no_more_hashes_run_than_there_are_slots(bench: Bench, slots: int) -> None:
    """Of 50 logins at once exactly as many hash as there are slots; in the end all have hashed."""
    hasher = cheapest(concurrency=slots)
    logins = [asyncio.create_task(hasher.hash(str(number))) for number in range(50)]
    for _ in range(slots):
        await bench.begun.get()
    await turn_the_loop()
    assert bench.at_work == slots
    for _ in range(50 - slots):
        bench.finish()
        await bench.begun.get()
    bench.finish(slots)
    assert await asyncio.gather(*logins) == [f"hash of {number}" for number in range(50)]
    assert bench.most_at_work == slots
    hasher.close()


async def test_whoever_waits_too_long_is_sent_away(bench: Bench) -> None:
    """With no slot free in time a login gets `hashing_overloaded` and when to come back."""
    hasher = cheapest(concurrency=1, queue_timeout_s=0.01)
    first = asyncio.create_task(hasher.hash("first"))
    await bench.begun.get()
    with pytest.raises(UnavailableError) as fault:
        await hasher.hash("second")
    assert fault.value.reason is Reason.HASHING_OVERLOADED
    assert fault.value.retry_after_s == 2
    assert fault.value.__cause__ is None
    bench.finish()
    assert await first == "hash of first"
    hasher.close()


async def test_the_gate_says_who_runs_who_waits_and_who_was_refused(bench: Bench) -> None:
    """Of three at one slot one hashes and two wait; all who are sent away are told of."""
    refused: list[str] = []
    hasher = cheapest(
        concurrency=1, queue_timeout_s=0.05, refused=lambda: refused.append("refused")
    )
    logins = [asyncio.create_task(hasher.hash(str(number))) for number in range(3)]
    await bench.begun.get()
    assert (hasher.running, hasher.waiting, refused) == (1, 2, [])
    await asyncio.wait(logins[1:])
    assert (hasher.running, hasher.waiting, refused) == (1, 0, ["refused"] * 2)
    bench.finish()
    await asyncio.gather(*logins, return_exceptions=True)
    await turn_the_loop()
    assert hasher.running == 0
    hasher.close()


async def test_whoever_was_sent_away_has_left_the_queue(bench: Bench) -> None:
    """Ten logins that gave up leave nothing behind: the next slot goes to the next who asks."""
    hasher = cheapest(concurrency=1, queue_timeout_s=0.01)
    first = asyncio.create_task(hasher.hash("first"))
    await bench.begun.get()
    refused = await asyncio.gather(
        *(hasher.hash(str(number)) for number in range(10)), return_exceptions=True
    )
    assert [type(answer) for answer in refused] == [UnavailableError] * 10
    bench.finish(2)
    await first
    await turn_the_loop()
    assert await hasher.hash("next") == "hash of next"
    assert bench.begun.get_nowait() == "next"
    assert bench.begun.empty()
    hasher.close()


async def test_a_caller_who_leaves_does_not_free_the_slot(bench: Bench) -> None:
    """The slot of a cancelled login stays taken until its hash has ended on its thread."""
    hasher = cheapest(concurrency=1)
    leaver = asyncio.create_task(hasher.hash("leaver"))
    await bench.begun.get()
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    follower = asyncio.create_task(hasher.hash("follower"))
    await turn_the_loop()
    assert bench.begun.empty()
    assert bench.at_work == 1
    bench.finish(2)
    assert await follower == "hash of follower"
    assert bench.most_at_work == 1
    hasher.close()


async def test_the_slot_of_a_caller_who_left_counts_as_taken(bench: Bench) -> None:
    """Behind a cancelled login that still hashes, the next one is sent away in time."""
    hasher = cheapest(concurrency=1, queue_timeout_s=0.01)
    leaver = asyncio.create_task(hasher.hash("leaver"))
    await bench.begun.get()
    leaver.cancel()
    await asyncio.wait([leaver])
    # If the slot were free, this would wait behind the thread, where no deadline reaches it.
    async with asyncio.timeout(5):
        with pytest.raises(UnavailableError):
            await hasher.hash("follower")
    bench.finish()
    hasher.close()


async def test_a_caller_who_leaves_the_queue_takes_no_slot(bench: Bench) -> None:
    """A login cancelled while it waits never hashes, and those behind it move up."""
    hasher = cheapest(concurrency=1)
    first = asyncio.create_task(hasher.hash("first"))
    await bench.begun.get()
    leaver = asyncio.create_task(hasher.hash("leaver"))
    follower = asyncio.create_task(hasher.hash("follower"))
    await turn_the_loop()
    leaver.cancel()
    bench.finish(2)
    assert await first == "hash of first"
    assert await follower == "hash of follower"
    assert bench.begun.get_nowait() == "follower"
    assert bench.begun.empty()
    hasher.close()


async def test_a_hash_that_fails_frees_its_slot(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error on the thread reaches its caller, and the next one gets the slot."""
    hasher = cheapest(concurrency=1, queue_timeout_s=5)
    bench.finish(1)
    with pytest.raises(AttributeError):
        await hasher.verify("hash", "password")  # the bench cannot verify
    assert await hasher.hash("next") == "hash of next"
    hasher.close()


async def test_the_event_loop_turns_while_hashes_run(bench: Bench) -> None:
    """With every slot hashing, the loop still does a thousand other things."""
    hasher = cheapest(concurrency=2)
    logins = [asyncio.create_task(hasher.hash(str(number))) for number in range(2)]
    for _ in logins:
        await bench.begun.get()
    await turn_the_loop(1000)
    assert not any(login.done() for login in logins)
    assert bench.at_work == 2
    bench.finish(2)
    await asyncio.gather(*logins)
    hasher.close()


async def test_closing_waits_for_the_hashes_under_way(bench: Bench) -> None:
    """After `close` no hash is at work."""
    hasher = cheapest(concurrency=2)
    logins = [asyncio.create_task(hasher.hash(str(number))) for number in range(2)]
    for _ in logins:
        await bench.begun.get()
    bench.finish(2)
    hasher.close()
    assert bench.at_work == 0
    await asyncio.gather(*logins)
