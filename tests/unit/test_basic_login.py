"""HTTP Basic: what its cache saves, what it never saves, and what empties it."""

import asyncio
from uuid import UUID

import pytest

from edge.access import basic
from edge.access.basic import BasicLogin
from edge.access.credentials import BasicCredentials
from edge.accounts.password_login import PasswordLogin
from edge.accounts.user import User, UserChanges
from edge.faults import UnavailableError
from edge.reasons import Reason
from tests.support.fakes import (
    CountingHasher,
    FakeClock,
    FakeUserStore,
    FreeAttempts,
    make_user,
)
from tests.support.secrets import remember

PASSWORD = "the made-up basic password"
OTHER = "another made-up basic password"
LIFETIME_S = 300
ALICE = UUID(int=1)
remember(PASSWORD, OTHER)

RIGHT = BasicCredentials("alice", PASSWORD)
WRONG = BasicCredentials("alice", OTHER)
UNKNOWN = BasicCredentials("nobody", PASSWORD)


class House:
    """A Basic login over fakes, with `alice`; another replica would be another house."""

    def __init__(self, *, lifetime_s: float = LIFETIME_S) -> None:
        self.store = FakeUserStore()
        self.hasher = CountingHasher()
        self.clock = FakeClock(1000.0)
        login = PasswordLogin(self.store, self.hasher, max_length=64, attempts=FreeAttempts())
        self.prepare = login.prepare
        self.basic = BasicLogin(
            login, digest_key=b"k" * 32, lifetime_s=lifetime_s, clock=self.clock
        )

    async def check(self, credentials: BasicCredentials = RIGHT) -> User | Reason:
        return await self.basic.check(credentials, "203.0.113.7")


async def _house(lifetime_s: float = LIFETIME_S) -> House:
    made = House(lifetime_s=lifetime_s)
    await made.prepare()
    made.store.put(make_user(), await made.hasher.hash(PASSWORD))
    return made


@pytest.fixture
async def house() -> House:
    return await _house()


async def test_the_cache_saves_the_hash_and_nothing_else(house: House) -> None:
    """Ten requests with the same credentials read the account ten times and hash once."""
    for _ in range(10):
        assert await house.check() == make_user()
    assert house.store.reads == 10
    assert house.hasher.verifies == 1


async def test_the_account_is_the_one_of_now(house: House) -> None:
    """A change that leaves epoch and hash alone, such as a new role, shows in the next answer."""
    await house.check()
    house.store.put(make_user(roles=("admin",)), house.store.credentials[ALICE].password_hash)
    assert await house.check() == make_user(roles=("admin",))
    assert house.hasher.verifies == 1


@pytest.mark.parametrize(
    ("elapsed_s", "verifies"),
    [(0, 1), (299.999, 1), (300, 2), (300.001, 2), (86_400, 2)],
)
async def test_an_entry_lasts_its_lifetime(house: House, elapsed_s: float, verifies: int) -> None:
    """Up to 300 seconds the hash is saved; from then on it is computed again."""
    await house.check()
    house.clock.forward(elapsed_s)
    assert isinstance(await house.check(), User)
    assert house.hasher.verifies == verifies


async def test_use_does_not_prolong_an_entry(house: House) -> None:
    """An entry that is used every minute expires five minutes after it was made."""
    for _ in range(5):
        await house.check()
        house.clock.forward(60)
    assert house.hasher.verifies == 1
    await house.check()
    assert house.hasher.verifies == 2


async def test_a_lifetime_of_zero_turns_the_cache_off() -> None:
    """With 0 seconds every request hashes."""
    house = await _house(lifetime_s=0)
    for _ in range(3):
        assert isinstance(await house.check(), User)
    assert house.hasher.verifies == 3


async def test_failures_are_never_remembered(house: House) -> None:
    """Wrong passwords and unknown names hash each time, and read each time."""
    for number in range(1, 4):
        assert await house.check(WRONG) is Reason.CREDENTIALS_INVALID
        assert await house.check(UNKNOWN) is Reason.CREDENTIALS_INVALID
        assert house.hasher.verifies == 2 * number
        assert house.store.reads == 2 * number


async def test_a_remembered_password_lets_no_other_password_in(house: House) -> None:
    """Neither another password nor another spelling of the account gets a stranger in."""
    await house.check()
    assert await house.check(WRONG) is Reason.CREDENTIALS_INVALID
    assert await house.check(BasicCredentials("alice", "")) is Reason.CREDENTIALS_INVALID
    assert await house.check(BasicCredentials("bob", PASSWORD)) is Reason.CREDENTIALS_INVALID
    assert house.hasher.verifies == 4


async def test_spellings_of_a_name_share_an_entry(house: House) -> None:
    """The entry is the account's, whatever case its name is written in."""
    await house.check()
    assert isinstance(await house.check(BasicCredentials("ALICE", PASSWORD)), User)
    assert house.hasher.verifies == 1


async def test_the_same_password_of_two_users_is_two_entries(house: House) -> None:
    """An entry is bound to its user, even where another has the same hash."""
    bob = make_user(id=UUID(int=2), username="bob")
    house.store.put(bob, house.store.credentials[ALICE].password_hash)
    await house.check()
    assert await house.check(BasicCredentials("bob", PASSWORD)) == bob
    assert house.hasher.verifies == 2


async def test_a_new_password_evicts_the_old_one(house: House) -> None:
    """From the moment the hash changes, the old password is wrong and the new one is right."""
    await house.check()
    await house.store.change(ALICE, UserChanges(password_hash=await house.hasher.hash(OTHER)))
    assert await house.check(RIGHT) is Reason.CREDENTIALS_INVALID
    assert isinstance(await house.check(WRONG), User)


async def test_a_new_hash_evicts_even_at_the_same_epoch(house: House) -> None:
    """The entry is bound to the hash itself."""
    await house.check()
    house.store.put(make_user(), await house.hasher.hash(OTHER))
    assert await house.check(RIGHT) is Reason.CREDENTIALS_INVALID


async def test_a_new_epoch_evicts(house: House) -> None:
    """When the epoch rises, the same password is hashed once more."""
    await house.check()
    house.store.put(make_user(epoch=1), house.store.credentials[ALICE].password_hash)
    assert await house.check() == make_user(epoch=1)
    assert house.hasher.verifies == 2


async def test_a_disabled_account_is_out_at_once(house: House) -> None:
    """Disabling refuses the next request; only the right password learns why."""
    await house.check()
    await house.store.change(ALICE, UserChanges(is_disabled=True))
    assert await house.check(RIGHT) is Reason.ACCOUNT_DISABLED
    assert await house.check(WRONG) is Reason.CREDENTIALS_INVALID


async def test_a_deleted_account_is_out_at_once(house: House) -> None:
    """After deletion the credentials are as wrong as those of somebody unknown."""
    await house.check()
    await house.store.delete(ALICE)
    assert await house.check() is Reason.CREDENTIALS_INVALID


async def test_an_upgraded_hash_is_learned_once(house: House) -> None:
    """After the upgrade on login one more hash is computed, then the cache works again."""
    house.hasher.version = 2
    for _ in range(5):
        assert isinstance(await house.check(), User)
    assert house.hasher.verifies == 2
    assert len(house.store.replacements) == 1


# Many at once.


async def turn_the_loop(times: int = 20) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


@pytest.mark.parametrize("credentials", [RIGHT, WRONG], ids=["right", "wrong"])
async def test_identical_requests_share_one_hash(
    house: House, credentials: BasicCredentials
) -> None:
    """Of 50 requests with the same credentials at once, one hashes and all get its answer."""
    house.hasher.hold()
    requests = [asyncio.create_task(house.check(credentials)) for _ in range(50)]
    await turn_the_loop()
    assert house.hasher.verifies == 1
    house.hasher.release()
    answers = await asyncio.gather(*requests)
    expected = make_user() if credentials is RIGHT else Reason.CREDENTIALS_INVALID
    assert answers == [expected] * 50
    assert house.hasher.verifies == 1
    assert house.store.reads == 50


async def test_unknown_names_cost_what_known_ones_cost_also_in_a_crowd(house: House) -> None:
    """50 identical wrong logins at once do the same number of hashes for any name.

    Otherwise a crowd could tell by the time it takes, or by 503s, which accounts exist.
    """
    counts = []
    for credentials in (WRONG, UNKNOWN):
        before = house.hasher.verifies
        house.hasher.hold()
        requests = [asyncio.create_task(house.check(credentials)) for _ in range(50)]
        await turn_the_loop()
        house.hasher.release()
        await asyncio.gather(*requests)
        counts.append(house.hasher.verifies - before)
    assert counts[0] == counts[1]


async def test_different_credentials_do_not_wait_for_each_other(house: House) -> None:
    """Five different passwords at once are five hashes."""
    house.hasher.hold()
    several = [BasicCredentials("alice", f"{OTHER} {number}") for number in range(5)]
    requests = [asyncio.create_task(house.check(one)) for one in several]
    await turn_the_loop()
    assert house.hasher.verifies == 5
    house.hasher.release()
    await asyncio.gather(*requests)


@pytest.mark.parametrize("leaver", [0, 1, 49])
async def test_a_client_who_leaves_does_not_fail_the_others(house: House, leaver: int) -> None:
    """When one of 50, the first of them too, is cancelled, the other 49 get in with one hash."""
    house.hasher.hold()
    requests = [asyncio.create_task(house.check()) for _ in range(50)]
    await turn_the_loop()
    requests[leaver].cancel()
    await turn_the_loop()
    house.hasher.release()
    answers = await asyncio.gather(*requests, return_exceptions=True)
    assert isinstance(answers.pop(leaver), asyncio.CancelledError)
    assert answers == [make_user()] * 49
    assert house.hasher.verifies == 1


async def test_a_hash_whose_only_client_left_is_still_of_use(house: House) -> None:
    """What was hashed for somebody who has gone saves the next one the hash."""
    house.hasher.hold()
    request = asyncio.create_task(house.check())
    await turn_the_loop()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    house.hasher.release()
    await turn_the_loop()
    assert isinstance(await house.check(), User)
    assert house.hasher.verifies == 1


async def test_a_fault_reaches_all_who_waited_and_is_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When hashing is overloaded all who share it are told; the next request tries again."""

    async def overloaded(password_hash: str, password: str) -> bool:
        await asyncio.sleep(0)
        raise UnavailableError(Reason.HASHING_OVERLOADED)

    with monkeypatch.context() as patch:
        patch.setattr(house.hasher, "verify", overloaded)
        answers = await asyncio.gather(*(house.check() for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [UnavailableError] * 5
    assert isinstance(await house.check(), User)


async def test_a_password_change_during_the_hash_wins(house: House) -> None:
    """An entry made from a row that has changed meanwhile is never found again."""
    house.hasher.hold()
    request = asyncio.create_task(house.check())
    await turn_the_loop()
    await house.store.change(ALICE, UserChanges(password_hash=await house.hasher.hash(OTHER)))
    house.hasher.release()
    await request
    assert await house.check(RIGHT) is Reason.CREDENTIALS_INVALID


async def test_the_number_of_entries_is_bounded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound the oldest entry goes; the others stay."""
    monkeypatch.setattr(basic, "_MOST_ENTRIES", 3)
    stored = house.store.credentials[ALICE].password_hash
    names = [f"user{number}" for number in range(4)]
    for number, name in enumerate(names):
        house.store.put(make_user(id=UUID(int=100 + number), username=name), stored)
        await house.check(BasicCredentials(name, PASSWORD))
    assert house.hasher.verifies == 4
    for name in reversed(names[1:]):
        await house.check(BasicCredentials(name, PASSWORD))
    assert house.hasher.verifies == 4
    await house.check(BasicCredentials(names[0], PASSWORD))
    assert house.hasher.verifies == 5


def test_the_bound_is_ten_thousand_entries() -> None:
    """The cache holds 10,000 entries at most, 1.5 MB."""
    assert basic._MOST_ENTRIES == 10_000  # noqa: SLF001  # the number is the law


async def test_nothing_of_the_password_is_kept(house: House) -> None:
    """What the cache holds has neither the password nor the stored hash in it."""
    await house.check()
    kept = repr(vars(house.basic))
    assert PASSWORD not in kept
    assert house.store.credentials[ALICE].password_hash not in kept
