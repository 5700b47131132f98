"""Making and changing accounts: what is refused, and what is stored."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from edge.accounts.accounts import Accounts
from edge.accounts.email_validator import normalise_email
from edge.accounts.password_login import PasswordLogin
from edge.accounts.passwords import PasswordPolicy, Strength
from edge.accounts.user import User
from edge.reasons import Reason
from tests.support.fakes import (
    CountingHasher,
    FakeUserStore,
    FreeAttempts,
    id_sequence,
    make_user,
)
from tests.support.secrets import remember

PASSWORD = "a made-up account password"
remember(PASSWORD)


def estimate(password: str, context: Sequence[str]) -> Strength:
    """Take passwords that say so for common, guessable, or too close to a context word."""
    if "common" in password or "guessable" in password:
        return Strength(0, is_common="common" in password)
    return Strength(0 if any(word in password for word in context) else 4, is_common=False)


class House:
    """Accounts over fakes."""

    def __init__(self) -> None:
        self.store = FakeUserStore()
        self.hasher = CountingHasher()
        policy = PasswordPolicy(min_length=15, max_length=64, min_score=3, service_name="Nimbus")
        self.accounts = Accounts(
            self.store,
            self.hasher,
            policy,
            estimate=estimate,
            verify=PasswordLogin(
                self.store, self.hasher, max_length=64, attempts=FreeAttempts()
            ).verify,
            normalise_email=normalise_email,
            new_id=id_sequence(),
        )

    async def add(self, username: str = "alice") -> User:
        added = await self.accounts.add(username, PASSWORD)
        assert isinstance(added, User)
        return added


@pytest.fixture
def house() -> House:
    return House()


async def test_a_new_account_is_stored_in_its_normal_form(house: House) -> None:
    """Name, address, full name and roles are normalised; the password is stored as a hash."""
    added = await house.accounts.add(
        "\uff21lice",
        PASSWORD,
        roles=["user", "admin", "user"],
        email="Alice@EXAMPLE.com",
        full_name="  Ame\u0301lie ",
    )
    assert added == make_user(
        id=UUID(int=1),
        username="Alice",
        email="Alice@example.com",
        full_name="Am\u00e9lie",
        roles=("admin", "user"),
    )
    stored = house.store.credentials[UUID(int=1)].password_hash
    assert PASSWORD not in stored
    assert await house.hasher.verify(stored, PASSWORD)


async def test_an_account_needs_a_name_and_a_password_only(house: House) -> None:
    """Without further words an account has no address, no full name, no roles, and is no demo."""
    assert await house.add() == make_user()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"username": "al"}, Reason.USERNAME_INVALID),
        ({"username": "ali:ce"}, Reason.USERNAME_INVALID),
        ({"username": "alice\ud800"}, Reason.USERNAME_INVALID),
        ({"email": ""}, Reason.EMAIL_INVALID),
        ({"email": "alice"}, Reason.EMAIL_INVALID),
        ({"email": "alice@localhost"}, Reason.EMAIL_INVALID),
        ({"email": "alice@example.com\nBcc: x@example.com"}, Reason.EMAIL_INVALID),
        ({"email": "ali\ud800ce@example.com"}, Reason.EMAIL_INVALID),
        ({"email": "a" * 300 + "@example.com"}, Reason.EMAIL_INVALID),
        ({"full_name": ""}, Reason.FULL_NAME_INVALID),
        ({"full_name": "Alice\n"}, None),
        ({"full_name": "Alice\nLiddell"}, Reason.FULL_NAME_INVALID),
        ({"full_name": "a" * 201}, Reason.FULL_NAME_INVALID),
        ({"roles": ["user", "Admin"]}, Reason.ROLE_INVALID),
        ({"roles": [""]}, Reason.ROLE_INVALID),
        ({"password": "fourteen chars"}, Reason.PASSWORD_TOO_SHORT),
        ({"password": "e\u0301" * 8}, Reason.PASSWORD_TOO_SHORT),
        ({"password": "x" * 65}, Reason.PASSWORD_TOO_LONG),
        ({"password": "fifteen characters\ud800"}, Reason.PASSWORD_NOT_TEXT),
        ({"password": "a very common password"}, Reason.PASSWORD_COMMON),
        ({"password": "a guessable password"}, Reason.PASSWORD_GUESSABLE),
        ({"password": "this is alice herself"}, Reason.PASSWORD_CONTEXTUAL),
        ({"password": "wonderland number 7"}, Reason.PASSWORD_CONTEXTUAL),
        ({"password": "let me into nimbus"}, Reason.PASSWORD_CONTEXTUAL),
        ({"username": "ALICIA", "password": "this is alicia herself"}, Reason.PASSWORD_CONTEXTUAL),
    ],
)
async def test_what_is_wrong_with_a_new_account_is_said(
    house: House, changes: dict[str, Any], reason: Reason | None
) -> None:
    """Each refusal has its reason, and nothing is hashed or stored."""
    fields: dict[str, Any] = {
        "username": "alice",
        "password": PASSWORD,
        "email": "rabbit@wonderland.example",
        **changes,
    }
    answer = await house.accounts.add(**fields)
    if reason is None:
        assert isinstance(answer, User)
    else:
        assert answer is reason
        assert house.hasher.hashes == 0
        assert house.store.credentials == {}


@pytest.mark.parametrize("again", ["alice", "ALICE", "\uff41lice"])
async def test_a_name_is_given_once(house: House, again: str) -> None:
    """A second account of the same name, in whatever spelling, is a conflict."""
    await house.add("Alice")
    assert await house.accounts.add(again, PASSWORD) is Reason.USERNAME_TAKEN
    assert len(house.store.credentials) == 1


async def test_demo_accounts_are_known_as_such(house: House) -> None:
    """The flag is stored, and `has_demo_accounts` tells whether anybody has it."""
    await house.add()
    assert not await house.accounts.has_demo_accounts()
    added = await house.accounts.add("visitor", PASSWORD, is_demo=True)
    assert isinstance(added, User)
    assert added.is_demo
    assert await house.accounts.has_demo_accounts()


@pytest.mark.parametrize("name", ["alice", "ALICE", "\uff21\uff4cice"])
async def test_an_account_is_found_by_every_spelling_of_its_name(house: House, name: str) -> None:
    """Looking up a name ignores case and width."""
    added = await house.add("Alice")
    assert await house.accounts.find_by_name(name) == added
    assert await house.accounts.find(added.id) == added


@pytest.mark.parametrize("name", ["bob", "al", "", "ali:ce", "\ud800\ud800\ud800"])
async def test_an_unknown_name_is_none(house: House, name: str) -> None:
    """A name that nobody has, or may have, finds nobody."""
    await house.add("Alice")
    assert await house.accounts.find_by_name(name) is None
    assert await house.accounts.find(UUID(int=99)) is None


async def test_pages_go_on_behind_a_name(house: House) -> None:
    """Users come in the order of their keys; a page starts behind the name, however spelt."""
    for name in ("carol", "Bob", "alice"):
        await house.add(name)
    first = await house.accounts.page(limit=2)
    assert [user.username for user in first] == ["alice", "Bob"]
    rest = await house.accounts.page(after=first[-1].username, limit=2)
    assert [user.username for user in rest] == ["carol"]
    assert await house.accounts.page(after="carol") == []


async def test_roles_are_replaced_without_repetition(house: House) -> None:
    """The new roles are sorted and distinct; a bad name changes nothing."""
    alice = await house.add()
    changed = await house.accounts.set_roles(alice, ["user", "admin", "user"])
    assert isinstance(changed, User)
    assert changed.roles == ("admin", "user")
    assert await house.accounts.set_roles(alice, ["user", "no role"]) is Reason.ROLE_INVALID
    assert await house.accounts.find(alice.id) == changed


async def test_a_new_password_is_judged_and_normalised_like_the_first(house: House) -> None:
    """Changing a password knows the account's words, refuses with a reason, and stores NFC."""
    alice = await house.add()
    before = house.store.credentials[alice.id].password_hash
    for password, reason in (
        ("short", Reason.PASSWORD_TOO_SHORT),
        ("this is alice herself", Reason.PASSWORD_CONTEXTUAL),
        ("a very common password", Reason.PASSWORD_COMMON),
    ):
        assert await house.accounts.set_password(alice, password) is reason
    assert house.store.credentials[alice.id].password_hash == before
    changed = await house.accounts.set_password(alice, "se\u0301same, ouvre-toi donc")
    assert isinstance(changed, User)
    assert changed.epoch == alice.epoch + 1
    stored = house.store.credentials[alice.id].password_hash
    assert await house.hasher.verify(stored, "s\u00e9same, ouvre-toi donc")


async def test_an_account_is_disabled_enabled_and_deleted(house: House) -> None:
    """Disabling raises the epoch, enabling does not, and deleting says whether there was one."""
    alice = await house.add()
    disabled = await house.accounts.disable(alice)
    assert disabled is not None
    assert (disabled.is_disabled, disabled.epoch) == (True, 1)
    enabled = await house.accounts.enable(alice)
    assert enabled is not None
    assert (enabled.is_disabled, enabled.epoch) == (False, 1)
    assert await house.accounts.delete(alice)
    assert not await house.accounts.delete(alice)


async def test_changes_of_an_account_that_is_gone_give_none(house: House) -> None:
    """Whoever was deleted in the meantime is None to every change."""
    ghost = make_user(id=UUID(int=99))
    assert await house.accounts.set_roles(ghost, ["user"]) is None
    assert await house.accounts.set_password(ghost, PASSWORD) is None
    assert await house.accounts.disable(ghost) is None
    assert await house.accounts.enable(ghost) is None


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("alice@example.com", "alice@example.com"),
        ("Alice@EXAMPLE.Com", "Alice@example.com"),
        ("\u00e9lise@b\u00fccher.de", "\u00e9lise@b\u00fccher.de"),
        ("e\u0301lise@example.com", "\u00e9lise@example.com"),
        ("alice+tag@example.com", "alice+tag@example.com"),
        ("alice@example", None),
        ("alice@localhost", None),
        ("alice@example.com ", None),
        ("alice@@example.com", None),
        ("Alice <alice@example.com>", None),
        ("alice@[127.0.0.1]", None),
        ('"ali ce"@example.com', None),
        ("ali\0ce@example.com", None),
        ("ali\ud800ce@example.com", None),
        ("alice@exam\ud800ple.com", None),
        ("", None),
    ],
)
def test_addresses_are_those_the_library_knows(typed: str, stored: str | None) -> None:
    """An address comes out in its normal form or not at all, without asking the network."""
    assert normalise_email(typed) == stored
