"""Checking a password: the same work for whoever asks, and no more told than is due."""

import unicodedata
from uuid import UUID

import pytest

from edge.accounts.password_login import PasswordLogin
from edge.accounts.user import User, UserChanges
from edge.faults import UnavailableError
from edge.reasons import Reason
from tests.support.fakes import (
    CountingHasher,
    FakeUserStore,
    FreeAttempts,
    make_user,
)
from tests.support.secrets import remember

PASSWORD = "the right made-up password"
WRONG = "the wrong made-up password"
MAX_LENGTH = 64
remember(PASSWORD, WRONG)


HERE = "203.0.113.7"


class House:
    """A login over fakes, with `alice`, and with `mallory`, who is disabled."""

    def __init__(self) -> None:
        self.store = FakeUserStore()
        self.hasher = CountingHasher()
        self.login = PasswordLogin(
            self.store, self.hasher, max_length=MAX_LENGTH, attempts=FreeAttempts()
        )


@pytest.fixture
async def house() -> House:
    made = House()
    await made.login.prepare()
    stored = await made.hasher.hash(PASSWORD)
    made.store.put(make_user(), stored)
    made.store.put(make_user(id=UUID(int=9), username="mallory", is_disabled=True), stored)
    made.hasher.hashes = 0
    return made


@pytest.mark.parametrize(
    ("username", "password", "answer", "reads"),
    [
        ("alice", PASSWORD, "alice", 1),
        ("ALICE", PASSWORD, "alice", 1),
        ("\uff21\uff2c\uff29\uff23\uff25", PASSWORD, "alice", 1),
        ("alice", WRONG, Reason.CREDENTIALS_INVALID, 1),
        ("alice", "", Reason.CREDENTIALS_INVALID, 1),
        ("alice", PASSWORD + "x" * MAX_LENGTH, Reason.CREDENTIALS_INVALID, 1),
        ("alice", "x" * 1_000_000, Reason.CREDENTIALS_INVALID, 1),
        ("alice", PASSWORD + "\ud800", Reason.CREDENTIALS_INVALID, 1),
        ("mallory", PASSWORD, Reason.ACCOUNT_DISABLED, 1),
        ("mallory", WRONG, Reason.CREDENTIALS_INVALID, 1),
        ("nobody", PASSWORD, Reason.CREDENTIALS_INVALID, 1),
        ("nobody", "x" * 1_000_000, Reason.CREDENTIALS_INVALID, 1),
        ("nobody", "\ud800", Reason.CREDENTIALS_INVALID, 1),
        ("nobody", "the password of nobody", Reason.CREDENTIALS_INVALID, 1),
        ("", PASSWORD, Reason.CREDENTIALS_INVALID, 0),
        ("al", PASSWORD, Reason.CREDENTIALS_INVALID, 0),
        ("no name: at all", PASSWORD, Reason.CREDENTIALS_INVALID, 0),
        ("alice\ud800", PASSWORD, Reason.CREDENTIALS_INVALID, 0),
        ("x" * 1_000_000, PASSWORD, Reason.CREDENTIALS_INVALID, 0),
    ],
)
async def test_every_attempt_costs_one_verification(
    house: House, username: str, password: str, answer: str | Reason, reads: int
) -> None:
    """Known or not, too long or not even text: one hash's work, no more and no less."""
    result = await house.login.check(username, password, HERE)
    assert (result.username if isinstance(result, User) else result) == answer
    assert house.hasher.verifies == 1
    assert house.hasher.hashes == 0
    assert house.store.reads == reads


async def test_the_longest_password_allowed_is_compared(house: House) -> None:
    """A password of exactly the greatest length logs in."""
    longest = "m" * MAX_LENGTH
    house.store.put(make_user(), await house.hasher.hash(longest))
    assert isinstance(await house.login.check("alice", longest, HERE), User)
    assert await house.login.check("alice", longest + "m", HERE) is Reason.CREDENTIALS_INVALID


async def test_composed_and_decomposed_letters_are_the_same_password(house: House) -> None:
    """What one keyboard composes and another does not logs in all the same."""
    password = unicodedata.normalize("NFC", "se\u0301same, ouvre-toi e\u0301")
    house.store.put(make_user(), await house.hasher.hash(password))
    decomposed = unicodedata.normalize("NFD", password)
    assert decomposed != password
    assert isinstance(await house.login.check("alice", decomposed, HERE), User)


async def test_length_is_counted_after_normalisation(house: House) -> None:
    """A password within the bound when composed is not too long when typed decomposed."""
    password = "\u00e9" * MAX_LENGTH
    house.store.put(make_user(), await house.hasher.hash(password))
    assert isinstance(await house.login.check("alice", "e\u0301" * MAX_LENGTH, HERE), User)


async def test_an_outdated_hash_is_replaced_on_login(house: House) -> None:
    """The right password under an old hash logs in, and a hash of today takes its place."""
    old = house.store.credentials[UUID(int=1)].password_hash
    house.hasher.version = 2
    assert isinstance(await house.login.check("alice", PASSWORD, HERE), User)
    new = house.store.credentials[UUID(int=1)].password_hash
    assert house.store.replacements == [(old, new)]
    assert not house.hasher.is_outdated(new)
    assert isinstance(await house.login.check("alice", PASSWORD, HERE), User)
    assert (house.hasher.verifies, house.hasher.hashes) == (2, 1)


async def test_a_wrong_password_replaces_no_hash(house: House) -> None:
    """Only the right password upgrades a hash."""
    house.hasher.version = 2
    assert await house.login.check("alice", WRONG, HERE) is Reason.CREDENTIALS_INVALID
    assert await house.login.check("nobody", PASSWORD, HERE) is Reason.CREDENTIALS_INVALID
    assert house.store.replacements == []
    assert house.hasher.hashes == 0


async def test_the_upgrade_does_not_undo_a_new_password(house: House) -> None:
    """Where the hash has changed in the meantime, the upgrade leaves it alone."""
    house.hasher.version = 2
    found = await house.login.find("alice")
    await house.store.change(UUID(int=1), UserChanges(password_hash="fake$2$another"))
    assert await house.login.verify("alice", found, PASSWORD, HERE)
    assert house.store.credentials[UUID(int=1)].password_hash == "fake$2$another"


async def test_an_overloaded_hasher_is_a_fault_and_not_a_refusal(house: House) -> None:
    """Where no hash can be computed now, nobody is told that it is wrong, and no attempt counts."""

    class Overloaded(CountingHasher):
        async def verify(self, *_: str, **__: str) -> bool:
            raise UnavailableError(Reason.HASHING_OVERLOADED)

    attempts = FreeAttempts()
    login = PasswordLogin(house.store, Overloaded(), max_length=MAX_LENGTH, attempts=attempts)
    await login.prepare()
    for username in ("alice", "nobody"):
        with pytest.raises(UnavailableError):
            await login.check(username, PASSWORD, HERE)
    assert len(attempts.withdrawals) == len(attempts.attempts) == 2


async def test_without_its_preparation_nobody_logs_in(house: House) -> None:
    """A login without the dummy hash would be quick for unknown users, so it is an error."""
    login = PasswordLogin(house.store, house.hasher, max_length=MAX_LENGTH, attempts=FreeAttempts())
    with pytest.raises(RuntimeError):
        await login.check("nobody", PASSWORD, HERE)
