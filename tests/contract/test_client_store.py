"""The `ClientStore` port over SQL, on every database."""

import asyncio
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from edge.accounts.client import Client
from edge.accounts.ports import ClientIdTaken, ClientStore
from edge.accounts.sql.clients import SqlClientStore
from edge.accounts.user import User
from edge.stores.sql import Database
from edge.stores.tables import clients, revocations, sessions
from edge.tokens.ports import NewSession
from edge.tokens.session import SessionLifetime
from edge.tokens.sql.sessions import SqlSessionStore
from tests.support.stores import (
    REVOCATION_LIFETIME_S,
    UNWRITABLE,
    make_revocations_unwritable,
    row_of,
    rows_of,
    stored_user,
)

_LIFETIME = SessionLifetime(idle_ms=60_000, absolute_ms=600_000, overlap_ms=10_000)
_HASH = b"h" * 32


class Announcements:
    """Counts how often the change list was announced to have grown."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def announcements() -> Announcements:
    return Announcements()


@pytest.fixture
def store(database: Database, announcements: Announcements) -> ClientStore:
    return SqlClientStore(
        database,
        revocation_lifetime_s=REVOCATION_LIFETIME_S,
        subject_prefix="client:",
        announce=announcements,
    )


def new_client(client_id: str = "billing", **fields: Any) -> Client:  # noqa: ANN401  # fields of all types
    return Client(
        id=client_id,
        name=fields.pop("name", "Billing"),
        is_confidential=fields.pop("is_confidential", True),
        grants=fields.pop("grants", ("client_credentials",)),
        scopes=frozenset({"profile", "admin"}),
        **fields,
    )


async def added(store: ClientStore, client_id: str = "billing") -> Client:
    client = await store.add(new_client(client_id), _HASH)
    assert isinstance(client, Client)
    return client


async def start_session(database: Database, user: User, client_id: str) -> NewSession | None:
    """Start a session; None where the store refuses to."""
    store = SqlSessionStore(database, revocation_lifetime_s=REVOCATION_LIFETIME_S)
    session = NewSession(
        id=uuid7(),
        user_id=user.id,
        epoch=user.epoch,
        client_id=client_id,
        scopes=("profile",),
        salt=b"s" * 16,
    )
    return session if await store.start(session, _LIFETIME) else None


async def started(database: Database, user: User, client_id: str) -> NewSession:
    session = await start_session(database, user, client_id)
    assert session is not None
    return session


async def test_a_client_is_found_as_it_was_added(store: ClientStore) -> None:
    """A stored client has every field it was made with, epoch 0, and is enabled."""
    asked = new_client(roles=("auditor", "user"), may_introspect=True, epoch=7, is_disabled=True)
    client = await store.add(asked, _HASH)
    assert isinstance(client, Client)
    assert client == new_client(
        roles=("auditor", "user"),
        may_introspect=True,
        epoch=0,
        is_disabled=False,
        created_at_ms=client.created_at_ms,
        updated_at_ms=client.created_at_ms,
    )
    assert client.created_at_ms > 1_700_000_000_000
    found = await store.find("billing")
    assert found is not None
    assert (found.client, found.secret_hash) == (client, _HASH)


async def test_a_client_without_a_secret_is_public(store: ClientStore) -> None:
    """Whether a client is confidential follows from whether a hash is stored."""
    client = await store.add(new_client(), None)
    assert isinstance(client, Client)
    assert not client.is_confidential


async def test_an_id_is_taken_once(store: ClientStore) -> None:
    """A second client of the same id is refused and changes nothing; case makes another id."""
    first = await added(store)
    assert isinstance(await store.add(new_client(name="Thief"), b"x" * 32), ClientIdTaken)
    found = await store.find("billing")
    assert found is not None
    assert (found.client, found.secret_hash) == (first, _HASH)
    assert isinstance(await store.add(new_client("Billing"), _HASH), Client)


async def test_clients_are_listed_by_id(store: ClientStore) -> None:
    """All are listed, in the order of their ids."""
    assert list(await store.all()) == []
    for client_id in ("b", "c", "a"):
        await added(store, client_id)
    assert [client.id for client in await store.all()] == ["a", "b", "c"]


async def test_a_secret_is_replaced_and_nothing_else(store: ClientStore) -> None:
    """Hash and time of change are new; an unknown client has no secret to replace."""
    before = await added(store)
    assert await store.replace_secret("billing", b"n" * 32)
    found = await store.find("billing")
    assert found is not None
    assert found.secret_hash == b"n" * 32
    assert (found.client.epoch, found.client.is_disabled) == (before.epoch, False)
    assert await store.replace_secret("nobody", b"n" * 32) is None


async def test_disabling_ends_every_session_of_the_client_and_no_other(
    store: ClientStore, database: Database
) -> None:
    """One change per live session is recorded, under the id that access tokens carry as `sid`."""
    await added(store)
    await added(store, "other")
    ann, bob = await stored_user(database), await stored_user(database)
    ended = [await started(database, user, "billing") for user in (ann, bob, ann)]
    spared = await started(database, ann, "other")
    over = await started(database, bob, "billing")
    session_store = SqlSessionStore(database, revocation_lifetime_s=REVOCATION_LIFETIME_S)
    await session_store.revoke(over.id)
    await store.set_disabled("billing", disabled=True)

    changes = await rows_of(database, revocations, kind="session")
    assert sorted(row["subject"] for row in changes) == sorted(
        str(session.id) for session in (*ended, over)
    )
    lifetimes = {row["expires_at_ms"] - row["recorded_at_ms"] for row in changes}
    assert lifetimes == {REVOCATION_LIFETIME_S * 1000}
    assert {row["issuer"] for row in changes} == {""}
    live = await rows_of(database, sessions, revoked_at_ms=None)
    assert [row["id"] for row in live] == [spared.id]


async def test_disabling_outdates_the_tokens_of_the_service_account(
    store: ClientStore, database: Database
) -> None:
    """The epoch goes up and is recorded under the account's subject; enabling leaves it there."""
    await added(store)
    disabled = await store.set_disabled("billing", disabled=True)
    assert disabled is not None
    assert (disabled.epoch, disabled.is_disabled) == (1, True)
    change = await row_of(database, revocations, kind="user")
    assert (change["subject"], change["epoch"]) == ("client:billing", 1)
    enabled = await store.set_disabled("billing", disabled=False)
    assert enabled is not None
    assert (enabled.epoch, enabled.is_disabled) == (1, False)
    assert len(await rows_of(database, revocations)) == 1


async def test_only_disabling_is_announced(
    store: ClientStore, announcements: Announcements
) -> None:
    """Whoever reads the change list is told when it has grown, and not otherwise."""
    await added(store)
    await store.replace_secret("billing", b"n" * 32)
    await store.set_disabled("billing", disabled=False)
    await store.set_disabled("nobody", disabled=True)
    assert announcements.count == 0
    await store.set_disabled("billing", disabled=True)
    assert announcements.count == 1


async def test_an_unknown_client_cannot_be_disabled(store: ClientStore, database: Database) -> None:
    """Nothing is recorded about a client that is not there."""
    assert await store.set_disabled("nobody", disabled=True) is None
    assert await rows_of(database, revocations) == []


async def test_disabling_happens_whole_or_not_at_all(
    store: ClientStore, database: Database, announcements: Announcements
) -> None:
    """Where revocations cannot be recorded, client and sessions stay as they were."""
    await added(store)
    session = await started(database, await stored_user(database), "billing")
    await make_revocations_unwritable(database)
    with pytest.raises(UNWRITABLE):
        await store.set_disabled("billing", disabled=True)
    assert not (await row_of(database, clients))["is_disabled"]
    assert (await row_of(database, sessions, id=session.id))["revoked_at_ms"] is None
    assert announcements.count == 0


async def test_a_disabled_client_starts_no_session(store: ClientStore, database: Database) -> None:
    """A login that was under way when its client was disabled leaves no session behind."""
    await added(store)
    user = await stored_user(database)
    await store.set_disabled("billing", disabled=True)
    assert await start_session(database, user, "billing") is None
    assert await start_session(database, user, "first-party") is not None
    await store.set_disabled("billing", disabled=False)
    assert await start_session(database, user, "billing") is not None


async def test_logins_at_the_moment_of_disabling_leave_no_live_session(
    store: ClientStore, database: Database
) -> None:
    """Of 8 logins beside the disabling none survives, and each that got in is in the list."""
    await added(store)
    user = await stored_user(database)
    for _ in range(10):
        attempts = [start_session(database, user, "billing") for _ in range(8)]
        results = await asyncio.gather(
            *attempts[:4], store.set_disabled("billing", disabled=True), *attempts[4:]
        )
        got_in = {str(result.id) for result in results if isinstance(result, NewSession)}
        assert await rows_of(database, sessions, revoked_at_ms=None) == []
        ended = {row["subject"] for row in await rows_of(database, revocations, kind="session")}
        assert got_in <= ended
        await store.set_disabled("billing", disabled=False)
