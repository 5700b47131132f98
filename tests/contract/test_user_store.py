"""The `UserStore` port over SQL, on every database."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from uuid_utils.compat import uuid7

from edge.accounts.ports import UsernameTaken, UserStore
from edge.accounts.user import NewUser, User, UserChanges, username_key
from edge.stores.sql import Database
from edge.stores.tables import revocations, sessions, users
from edge.tokens.ports import NewSession
from edge.tokens.session import Origin, SessionLifetime
from edge.tokens.sql.sessions import SqlSessionStore
from tests.support.stores import (
    REVOCATION_LIFETIME_S,
    UNWRITABLE,
    make_revocations_unwritable,
    new_user,
    row_of,
    rows_of,
    stored_user,
    user_store,
)

_LIFETIME = SessionLifetime(idle_ms=60_000, absolute_ms=600_000, overlap_ms=10_000)


@pytest.fixture
def store(database: Database) -> UserStore:
    return user_store(database)


@pytest.fixture
def session_store(database: Database) -> SqlSessionStore:
    return SqlSessionStore(database, revocation_lifetime_s=REVOCATION_LIFETIME_S)


async def start_session(store: SqlSessionStore, user: User) -> NewSession:
    session = NewSession(
        id=uuid7(),
        user_id=user.id,
        epoch=user.epoch,
        client_id="first-party",
        scopes=("profile",),
        salt=b"s" * 16,
    )
    assert await store.start(session, _LIFETIME)
    return session


# Adding and finding.


async def test_a_new_user_is_found_as_it_was_added(store: UserStore) -> None:
    """A stored user has every field it was made with, epoch 0, and is enabled."""
    asked = NewUser(
        id=uuid7(),
        username="Zoë.O-Neill",
        email="zoe@mail.test",
        full_name="Zoë O'Neill",
        roles=("admin", "user"),
        is_demo=True,
    )
    added = await store.add(asked, "the hash")
    assert isinstance(added, User)
    assert added == User(
        id=asked.id,
        username="Zoë.O-Neill",
        email="zoe@mail.test",
        full_name="Zoë O'Neill",
        roles=("admin", "user"),
        epoch=0,
        is_disabled=False,
        is_demo=True,
        created_at_ms=added.created_at_ms,
        updated_at_ms=added.created_at_ms,
    )
    assert await store.find(asked.id) == added


async def test_what_is_optional_may_be_missing(store: UserStore) -> None:
    """A user needs neither an email address nor a full name nor roles."""
    added = await store.add(new_user("bare"), "hash")
    assert isinstance(added, User)
    assert (added.email, added.full_name, added.roles) == (None, None, ())
    assert await store.find(added.id) == added


async def test_credentials_are_found_by_key(store: UserStore) -> None:
    """The user and the hash are found by the username key, however the name was written."""
    added = await store.add(new_user("Straße"), "the hash of it")
    found = await store.find_credentials(username_key("STRASSE"))
    assert found is not None
    assert (found.user, found.password_hash) == (added, "the hash of it")


async def test_unknown_users_are_not_found(store: UserStore) -> None:
    """Ids and names nobody has give nothing."""
    assert await store.find(uuid7()) is None
    assert await store.find_credentials("nobody") is None


# Names.


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("alice", "alice", id="the same"),
        pytest.param("alice", "ALICE", id="upper case"),
        pytest.param("Zoë", "Zoe\u0308", id="decomposed"),
        pytest.param("office", "o\ufb03ce", id="ligature"),
        pytest.param("alice", "\uff41\uff4c\uff49\uff43\uff45", id="full width"),
        pytest.param("strasse", "STRAßE", id="sharp s"),
        pytest.param("\u03c3\u03c3\u03c3", "\u03a3\u03a3\u03c2", id="final sigma"),
        pytest.param("abc\u03b9", "abc\u0345", id="iota subscript"),
    ],
)
async def test_one_name_in_two_forms_is_taken(
    store: UserStore, database: Database, first: str, second: str
) -> None:
    """A name that differs only in case or compatibility form belongs to the first who took it."""
    added = await store.add(new_user(first), "first hash")
    assert isinstance(added, User)
    assert await store.add(new_user(second), "second hash") == UsernameTaken()
    assert (await row_of(database, users))["password_hash"] == "first hash"


async def test_names_that_only_look_alike_are_different(store: UserStore) -> None:
    """A Cyrillic a is not a Latin a: both names can be had."""
    assert isinstance(await store.add(new_user("alice"), "hash"), User)
    assert isinstance(await store.add(new_user("\u0430lice"), "hash"), User)


async def test_of_fifty_who_want_a_name_one_gets_it(store: UserStore, database: Database) -> None:
    """Of 50 concurrent creations of one name, exactly one makes the user and 49 are told."""
    names = [["Everybody", "everybody", "EVERYBODY"][number % 3] for number in range(50)]
    added = await asyncio.gather(*(store.add(new_user(name), "hash") for name in names))
    assert Counter(map(type, added)) == {User: 1, UsernameTaken: 49}
    [winner] = [outcome for outcome in added if isinstance(outcome, User)]
    assert (await row_of(database, users))["id"] == winner.id


# Paging.


async def test_pages_give_every_user_once_in_order(store: UserStore) -> None:
    """Pages, each begun behind the last name of the one before, give all users in key order."""
    names = ["Delta", "alpha", "charlie", "Bravo", "echo.1", "echo_2", "echo-3", "ünal", "Émile"]
    for name in names:
        await store.add(new_user(name), "hash")
    pages: list[list[str]] = []
    cursor = ""
    for _ in range(6):
        page = [user.username for user in await store.page(after=cursor, limit=2)]
        pages.append(page)
        cursor = username_key(page[-1]) if page else cursor
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1, 0]
    assert [name for page in pages for name in page] == sorted(names, key=username_key)


async def test_a_cursor_need_not_be_a_user(store: UserStore) -> None:
    """A page begins behind the cursor, also where its user has gone meanwhile."""
    for name in ("anna", "carl"):
        await store.add(new_user(name), "hash")
    assert [user.username for user in await store.page(after="bert", limit=10)] == ["carl"]
    assert await store.page(after="carl", limit=10) == []


async def test_demo_users_are_counted(store: UserStore) -> None:
    """Only demo users count, and a deleted one no longer does."""
    assert await store.count_demo() == 0
    demo = [new_user(is_demo=True), new_user(is_demo=True)]
    for user in (*demo, new_user()):
        await store.add(user, "hash")
    assert await store.count_demo() == 2
    assert await store.delete(demo[0].id)
    assert await store.count_demo() == 1


# Roles.


@pytest.mark.parametrize(
    ("before", "after", "epoch"),
    [
        pytest.param("", "", 0, id="none stays none"),
        pytest.param("", "user", 0, id="the first"),
        pytest.param("user", "user", 0, id="the same"),
        pytest.param("admin user", "user admin", 0, id="another order"),
        pytest.param("user", "admin user", 0, id="one more"),
        pytest.param("admin user", "user", 1, id="one less"),
        pytest.param("admin user", "", 1, id="all"),
        pytest.param("admin", "user", 1, id="another instead"),
        pytest.param("admin", "administrator", 1, id="a longer one instead"),
    ],
)
async def test_taking_a_role_away_outdates_tokens(
    store: UserStore, database: Database, before: str, after: str, epoch: int
) -> None:
    """Taking a role away raises the epoch and records it; anything else does neither."""
    user = await stored_user(database, roles=before)
    changed = await store.change(user.id, UserChanges(roles=tuple(after.split())))
    assert changed is not None
    assert changed.roles == tuple(after.split())
    assert changed.epoch == epoch
    assert await store.find(user.id) == changed
    recorded = await rows_of(database, revocations)
    assert [(row["kind"], row["subject"], row["epoch"]) for row in recorded] == (
        [("user", str(user.id), 1)] if epoch else []
    )


async def test_taking_a_role_away_keeps_sessions(
    store: UserStore, session_store: SqlSessionStore, database: Database
) -> None:
    """Who loses a role stays logged in: the next refresh brings a token without it."""
    user = await stored_user(database, roles="admin user")
    session = await start_session(session_store, user)
    await store.change(user.id, UserChanges(roles=("user",)))
    found = await session_store.find(session.id)
    assert found is not None
    assert (found.revoked_at_ms, found.holder.roles, found.holder.epoch) == (None, ("user",), 1)


async def test_concurrent_removals_count_exactly(store: UserStore, database: Database) -> None:
    """Of 20 concurrent changes, each of which drops every role the others set, 20 are counted."""
    user = await stored_user(database, roles="role0")
    changes = (
        store.change(user.id, UserChanges(roles=(f"role{number}",))) for number in range(1, 21)
    )
    changed = await asyncio.gather(*changes)
    assert sorted(after.epoch for after in changed if after) == list(range(1, 21))
    final = await store.find(user.id)
    assert final is not None
    assert final.epoch == 20
    recorded = await rows_of(database, revocations, subject=str(user.id))
    assert sorted(row["epoch"] for row in recorded) == list(range(1, 21))


# What ends sessions.

_ENDINGS: dict[str, Callable[[UserStore, User], Awaitable[object]]] = {
    "set_password": lambda store, user: store.change(
        user.id, UserChanges(password_hash="new hash")
    ),
    "disable": lambda store, user: store.change(user.id, UserChanges(is_disabled=True)),
    "delete": lambda store, user: store.delete(user.id),
}


@pytest.mark.parametrize("ending", _ENDINGS)
async def test_endings_raise_the_epoch_and_record_it(
    store: UserStore, database: Database, ending: str
) -> None:
    """A new password, disabling and deleting record that all tokens of before are dead."""
    user = await stored_user(database)
    other = await stored_user(database)
    assert await _ENDINGS[ending](store, user)
    recorded = await row_of(database, revocations)
    assert (recorded["kind"], recorded["subject"], recorded["epoch"]) == ("user", str(user.id), 1)
    lifetime_ms = recorded["expires_at_ms"] - recorded["recorded_at_ms"]
    assert abs(lifetime_ms - REVOCATION_LIFETIME_S * 1000) <= 10  # two readings of a clock
    after = await store.find(user.id)
    assert after is None if ending == "delete" else after is not None and after.epoch == 1
    assert await store.find(other.id) == other


@pytest.mark.parametrize("ending", _ENDINGS)
async def test_endings_end_every_session_of_the_user(
    store: UserStore, session_store: SqlSessionStore, database: Database, ending: str
) -> None:
    """A new password, disabling and deleting leave the user no session and others all of theirs."""
    user, other = await stored_user(database), await stored_user(database)
    ended = [await start_session(session_store, user) for _ in range(3)]
    kept = await start_session(session_store, other)
    await _ENDINGS[ending](store, user)
    for session in ended:
        found = await session_store.find(session.id)
        assert found is None if ending == "delete" else found and found.revoked_at_ms is not None
        assert (
            await session_store.advance(
                session.id, generation=1, lifetime=_LIFETIME, origin=Origin()
            )
            is None
        )
    assert await session_store.advance(kept.id, generation=1, lifetime=_LIFETIME, origin=Origin())


async def test_a_session_keeps_the_time_it_first_ended(
    store: UserStore, session_store: SqlSessionStore, database: Database
) -> None:
    """A new password does not touch sessions that had ended before."""
    user = await stored_user(database)
    session = await start_session(session_store, user)
    await session_store.revoke(session.id)
    before = await row_of(database, sessions, id=session.id)
    await store.change(user.id, UserChanges(password_hash="new hash"))
    assert await row_of(database, sessions, id=session.id) == before


@pytest.mark.parametrize("ending", _ENDINGS)
async def test_an_ending_happens_whole_or_not_at_all(
    store: UserStore, session_store: SqlSessionStore, database: Database, ending: str
) -> None:
    """Where the revocation cannot be recorded, nothing else of the change is kept either."""
    user = await stored_user(database)
    session = await start_session(session_store, user)
    tables = (users, sessions)
    before = [await rows_of(database, table) for table in tables]
    await make_revocations_unwritable(database)
    with pytest.raises(UNWRITABLE):
        await _ENDINGS[ending](store, user)
    assert [await rows_of(database, table) for table in tables] == before
    assert await session_store.advance(
        session.id, generation=1, lifetime=_LIFETIME, origin=Origin()
    )


async def test_a_new_password_replaces_the_old(store: UserStore, database: Database) -> None:
    """After a new password only its hash is there."""
    user = await stored_user(database, "alice", password_hash="old hash")
    changed = await store.change(user.id, UserChanges(password_hash="new hash"))
    found = await store.find_credentials("alice")
    assert found is not None
    assert (found.user, found.password_hash) == (changed, "new hash")


async def test_enabling_keeps_the_epoch(store: UserStore, database: Database) -> None:
    """Enabling gives back the login, not the tokens: the epoch stays, nothing is recorded."""
    user = await stored_user(database)
    disabled = await store.change(user.id, UserChanges(is_disabled=True))
    enabled = await store.change(user.id, UserChanges(is_disabled=False))
    assert disabled is not None
    assert enabled is not None
    assert (disabled.is_disabled, disabled.epoch) == (True, 1)
    assert (enabled.is_disabled, enabled.epoch) == (False, 1)
    assert len(await rows_of(database, revocations)) == 1


async def test_a_deleted_name_is_free_again(store: UserStore, database: Database) -> None:
    """The name of a deleted user may be taken by a new one, who shares nothing with the old."""
    user = await stored_user(database, "alice", roles="admin")
    await store.delete(user.id)
    again = await store.add(new_user("Alice"), "hash")
    assert isinstance(again, User)
    assert again.id != user.id
    assert (again.roles, again.epoch) == ((), 0)


# Hashes.


async def test_a_stronger_hash_replaces_the_one_it_was_made_from(
    store: UserStore, database: Database
) -> None:
    """An upgraded hash takes the place of the old one and ends nothing."""
    user = await stored_user(database, "alice", password_hash="weak")
    assert await store.replace_hash(user.id, old="weak", new="strong")
    found = await store.find_credentials("alice")
    assert found is not None
    assert (found.password_hash, found.user.epoch) == ("strong", 0)
    assert await rows_of(database, revocations) == []


async def test_an_upgraded_hash_never_undoes_a_new_password(
    store: UserStore, database: Database
) -> None:
    """A hash that was computed while the password changed is thrown away."""
    user = await stored_user(database, "alice", password_hash="weak")
    await store.change(user.id, UserChanges(password_hash="of the new password"))
    assert not await store.replace_hash(user.id, old="weak", new="strong")
    found = await store.find_credentials("alice")
    assert found is not None
    assert found.password_hash == "of the new password"


async def test_upgrades_and_password_changes_race_to_the_password(
    store: UserStore, database: Database
) -> None:
    """Whichever of upgrade and new password comes first, the new password's hash remains."""
    for number in range(20):
        user = await stored_user(database, f"racer{number}", password_hash="weak")
        upgrade = store.replace_hash(user.id, old="weak", new="strong")
        change = store.change(user.id, UserChanges(password_hash="of the new password"))
        await asyncio.gather(*((upgrade, change) if number % 2 else (change, upgrade)))
        found = await store.find_credentials(f"racer{number}")
        assert found is not None
        assert found.password_hash == "of the new password"


async def test_of_many_upgrades_one_wins(store: UserStore, database: Database) -> None:
    """Of 20 concurrent upgrades of one hash exactly one takes place."""
    user = await stored_user(database, "alice", password_hash="weak")
    upgrades = (store.replace_hash(user.id, old="weak", new=f"strong{n}") for n in range(20))
    outcomes = await asyncio.gather(*upgrades)
    assert outcomes.count(True) == 1
    found = await store.find_credentials("alice")
    assert found is not None
    assert found.password_hash == f"strong{outcomes.index(True)}"


# Users who are not there.

_CHANGES: dict[str, Callable[[UserStore, User], Awaitable[object]]] = {
    "set_roles": lambda store, user: store.change(user.id, UserChanges(roles=("admin",))),
    "replace_hash": lambda store, user: store.replace_hash(user.id, old="hash", new="new"),
    "enable": lambda store, user: store.change(user.id, UserChanges(is_disabled=False)),
    **_ENDINGS,
}


@pytest.mark.parametrize("change", _CHANGES)
async def test_unknown_users_cannot_be_changed(
    store: UserStore, database: Database, change: str
) -> None:
    """A change of a user who has gone says so and records nothing."""
    bystander = await stored_user(database)
    gone = await stored_user(database)
    await store.delete(gone.id)
    recorded = await rows_of(database, revocations)
    assert not await _CHANGES[change](store, gone)
    assert await rows_of(database, revocations) == recorded
    assert [row["id"] for row in await rows_of(database, users)] == [bystander.id]
