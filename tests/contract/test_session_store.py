"""The `SessionStore` port over SQL and the sessions on top of it, on every database.

Time stands still in most of these tests and is moved by hand, so that every bound is exact.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from uuid_utils.compat import uuid7

from edge.access.rules import RoleHierarchy, ScopePolicy
from edge.access.sign_in import SignedIn, SignIn, SignInRefused
from edge.accounts.client import built_in_client
from edge.accounts.password_login import PasswordLogin
from edge.accounts.sql.users import SqlUserStore
from edge.accounts.user import User, UserChanges
from edge.reasons import Reason
from edge.stores.sql import Database
from edge.stores.tables import revocations, sessions
from edge.tokens.access_tokens import AccessTokenIssuer
from edge.tokens.ports import NewSession
from edge.tokens.refresh_token import RefreshTokenCodec
from edge.tokens.session import Origin, SessionLifetime
from edge.tokens.sessions import Refreshed, RefreshRefused, Sessions, Started
from edge.tokens.sql.revocations import SqlRevocationLog
from edge.tokens.sql.sessions import SqlSessionStore
from tests.support.fakes import (
    FakeSigner,
    FreeAttempts,
)
from tests.support.secrets import remember
from tests.support.stores import (
    REVOCATION_LIFETIME_S,
    UNWRITABLE,
    ReadAnew,
    TravelClock,
    let_others_run,
    make_revocations_unwritable,
    row_of,
    rows_of,
    set_session,
    stored_user,
    user_store,
    verified_token,
)

_OVERLAP_MS = 10_000
_IDLE_MS = 60_000
_ABSOLUTE_MS = 150_000
_LIFETIME = SessionLifetime(_IDLE_MS, _ABSOLUTE_MS, _OVERLAP_MS)
_CLIENT = "first-party"
_BUILT_IN = built_in_client(_CLIENT, ["profile"])
_HERE = Origin("203.0.113.7", "a browser")


async def nothing() -> None:
    """Happen, as nothing does."""


class FakeHasher:
    """Hashes by writing the password down; `during_verify` runs while one is checked."""

    def __init__(self) -> None:
        self.during_verify: Callable[[], Awaitable[object]] = nothing

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, password_hash: str, password: str) -> bool:
        await self.during_verify()
        return password_hash == f"hash of {password}"

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash


@pytest.fixture
def clock() -> TravelClock:
    return TravelClock()


@pytest.fixture
def store(database: Database, clock: TravelClock) -> SqlSessionStore:
    """Give a store whose time is the travelling clock's."""
    return SqlSessionStore(
        database, revocation_lifetime_s=REVOCATION_LIFETIME_S, now=clock.expression
    )


@pytest.fixture
def codec() -> RefreshTokenCodec:
    return make_codec()


@pytest.fixture
def travelling(store: SqlSessionStore, codec: RefreshTokenCodec) -> Sessions:
    return Sessions(store, codec, _LIFETIME, new_id=uuid7)


@pytest.fixture
def real_time(database: Database, codec: RefreshTokenCodec) -> Sessions:
    """Give sessions on the database's own clock, for races."""
    store = SqlSessionStore(database, revocation_lifetime_s=REVOCATION_LIFETIME_S)
    return Sessions(store, codec, _LIFETIME, new_id=uuid7)


def make_codec() -> RefreshTokenCodec:
    return RefreshTokenCodec(mac_key=secrets.token_bytes(32), key_id=secrets.token_bytes(4))


async def start(
    sessions: Sessions, user: User, scopes: tuple[str, ...] = ("moderate", "profile")
) -> Started:
    started = await sessions.start(
        user_id=user.id, epoch=user.epoch, client_id=_CLIENT, scopes=scopes, origin=_HERE
    )
    assert started is not None
    remember(started.refresh_token)
    return started


async def refresh(sessions: Sessions, token: str) -> str:
    """Refresh, which must succeed; gives the new refresh token."""
    outcome = await sessions.refresh(token, _CLIENT, None, _HERE)
    assert isinstance(outcome, Refreshed)
    remember(outcome.refresh_token)
    return outcome.refresh_token


async def why_not(sessions: Sessions, token: str, client: str = _CLIENT) -> Reason:
    """Refresh, which must be refused; gives the reason."""
    outcome = await sessions.refresh(token, client, None, _HERE)
    assert isinstance(outcome, RefreshRefused)
    return outcome.reason


def new_session(user: User, *, epoch: int | None = None) -> NewSession:
    return NewSession(
        id=uuid7(),
        user_id=user.id,
        epoch=user.epoch if epoch is None else epoch,
        client_id=_CLIENT,
        scopes=("moderate", "profile"),
        salt=secrets.token_bytes(16),
        origin=_HERE,
    )


# Starting.


async def test_a_started_session_is_stored_whole(
    store: SqlSessionStore, database: Database, clock: TravelClock
) -> None:
    """A new session is at generation 1, with its scopes, salt and both expiries."""
    user = await stored_user(database)
    session = new_session(user)
    assert await store.start(session, _LIFETIME)
    assert await row_of(database, sessions) == {
        "id": session.id,
        "user_id": user.id,
        "client_id": _CLIENT,
        "scopes": ["moderate", "profile"],
        "generation": 1,
        "salt": session.salt,
        "created_at_ms": clock.now_ms,
        "rotated_at_ms": clock.now_ms,
        "idle_expires_at_ms": clock.now_ms + _IDLE_MS,
        "absolute_expires_at_ms": clock.now_ms + _ABSOLUTE_MS,
        "revoked_at_ms": None,
        "address": "203.0.113.7",
        "user_agent": "a browser",
    }


async def test_a_session_says_where_it_was_last_used_from(
    travelling: Sessions, database: Database
) -> None:
    """A refresh from elsewhere takes the place of the login's address and user agent."""
    started = await start(travelling, await stored_user(database))
    elsewhere = Origin("2001:db8::1", "another browser")
    await travelling.refresh(started.refresh_token, _CLIENT, None, elsewhere)
    row = await row_of(database, sessions)
    assert (row["address"], row["user_agent"]) == ("2001:db8::1", "another browser")


async def test_a_session_is_found_with_its_holder(
    store: SqlSessionStore, database: Database, clock: TravelClock
) -> None:
    """Reading a session gives the user behind it as of now, and the store's time."""
    user = await stored_user(database, roles="user")
    session = new_session(user)
    await store.start(session, _LIFETIME)
    await user_store(database).change(user.id, UserChanges(roles=("admin", "user")))
    clock.forward(1234)
    found = await store.find(session.id)
    assert found is not None
    assert (found.id, found.client_id, found.scopes) == (session.id, _CLIENT, session.scopes)
    assert (found.generation, found.salt, found.now_ms) == (1, session.salt, clock.now_ms)
    holder = found.holder
    assert (holder.user_id, holder.username, holder.roles) == (
        user.id,
        user.username,
        ("admin", "user"),
    )
    assert (holder.epoch, holder.is_disabled) == (0, False)
    assert await store.find(uuid7()) is None


async def test_times_are_milliseconds_of_the_database(database: Database) -> None:
    """Without a travelling clock a session begins at the present time, in milliseconds."""
    user = await stored_user(database)
    store = SqlSessionStore(database, revocation_lifetime_s=REVOCATION_LIFETIME_S)
    await store.start(new_session(user), _LIFETIME)
    row = await row_of(database, sessions)
    assert abs(row["created_at_ms"] - time.time_ns() // 1_000_000) < 5_000


async def test_an_idle_expiry_is_never_stored_beyond_the_absolute_one(
    store: SqlSessionStore, database: Database, clock: TravelClock
) -> None:
    """A session whose idle time is longer than its life ends with its life."""
    user = await stored_user(database)
    await store.start(new_session(user), SessionLifetime(900, 500, 0))
    row = await row_of(database, sessions)
    assert row["idle_expires_at_ms"] == row["absolute_expires_at_ms"] == clock.now_ms + 500


_CHANGES_OF_MIND: dict[str, Callable[[SqlUserStore, User], Awaitable[object]]] = {
    "gone": lambda store, user: store.delete(user.id),
    "disabled": lambda store, user: store.change(user.id, UserChanges(is_disabled=True)),
    "new password": lambda store, user: store.change(
        user.id, UserChanges(password_hash="new hash")
    ),
    "a role less": lambda store, user: store.change(user.id, UserChanges(roles=())),
}


@pytest.mark.parametrize("change", _CHANGES_OF_MIND)
async def test_no_session_starts_for_credentials_of_before(
    store: SqlSessionStore, database: Database, change: str
) -> None:
    """Who was deleted, disabled, or given a new epoch since the check gets no session."""
    user = await stored_user(database, roles="user")
    assert await _CHANGES_OF_MIND[change](user_store(database), user)
    assert not await store.start(new_session(user), _LIFETIME)
    assert await rows_of(database, sessions) == []


async def test_a_disabled_user_gets_no_session_at_any_epoch(
    store: SqlSessionStore, database: Database
) -> None:
    """The epoch being right does not help an account that is disabled."""
    user = await stored_user(database)
    await user_store(database).change(user.id, UserChanges(is_disabled=True))
    assert not await store.start(new_session(user, epoch=1), _LIFETIME)
    await user_store(database).change(user.id, UserChanges(is_disabled=False))
    assert await store.start(new_session(user, epoch=1), _LIFETIME)


# Logging in while the password changes.


class Login:
    """`SignIn` over real stores, with a hash to step in between and a signer that remembers."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self.hasher = FakeHasher()
        self.signer = FakeSigner()
        self._password_login = PasswordLogin(
            user_store(database), self.hasher, max_length=1024, attempts=FreeAttempts()
        )
        self.sign_in = SignIn(
            self._password_login,
            sessions,
            AccessTokenIssuer(
                self.signer,
                issuer="https://edge.test",
                audience="edge",
                lifetime_s=900,
                clock=lambda: 1_800_000_000,
                new_id=uuid7,
            ),
            roles=RoleHierarchy({}),
            scopes=ScopePolicy({"profile": ("user",)}),
        )

    async def run(self, username: str, password: str) -> SignedIn | SignInRefused:
        await self._password_login.prepare()
        outcome = await self.sign_in.with_password(_BUILT_IN, username, password, None, _HERE)
        if isinstance(outcome, SignedIn):
            assert outcome.refresh_token is not None
            remember(outcome.refresh_token)
        return outcome

    async def refresh(self, refresh_token: str | None) -> SignedIn | SignInRefused:
        assert refresh_token is not None
        outcome = await self.sign_in.with_refresh_token(_BUILT_IN, refresh_token, None, _HERE)
        if isinstance(outcome, SignedIn):
            assert outcome.refresh_token is not None
            remember(outcome.refresh_token)
        return outcome


@pytest.fixture
def login(database: Database, real_time: Sessions) -> Login:
    return Login(database, real_time)


@pytest.mark.parametrize("change", _CHANGES_OF_MIND)
async def test_a_change_during_the_hash_leaves_no_session(
    login: Login, database: Database, change: str
) -> None:
    """A login whose account changes while the old password is being checked is refused."""
    user = await stored_user(database, "alice", password_hash="hash of old", roles="user")
    login.hasher.during_verify = lambda: _CHANGES_OF_MIND[change](user_store(database), user)
    outcome = await login.run("alice", "old")
    assert isinstance(outcome, SignInRefused)
    assert outcome.decision.reason is Reason.CREDENTIALS_INVALID
    assert await rows_of(database, sessions) == []
    assert login.signer.signed == []


async def test_logins_racing_a_new_password_leave_no_live_session(
    login: Login, database: Database, real_time: Sessions
) -> None:
    """In 30 rounds of 3 logins against a new password, no login of the old one survives it."""
    for number in range(30):
        name = f"racer{number}"
        user = await stored_user(database, name, password_hash="hash of old", roles="user")
        await asyncio.gather(
            *(login.run(name, "old") for _ in range(3)),
            change_password(database, user, after=number % 10),
        )
        for row in await rows_of(database, sessions, user_id=user.id):
            assert row["revoked_at_ms"] is not None
    assert all(claims.epoch == 0 for claims in login.signer.signed)


async def change_password(database: Database, user: User, *, after: int) -> None:
    await let_others_run(after)
    changed = await user_store(database).change(user.id, UserChanges(password_hash="hash of new"))
    assert changed is not None
    assert changed.epoch == 1


# Refreshing.


async def test_a_refresh_moves_one_generation(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """Each refresh gives another token and moves the row by exactly one generation."""
    started = await start(travelling, await stored_user(database))
    tokens = [started.refresh_token]
    for generation in range(2, 6):
        clock.forward(1000)
        before = await row_of(database, sessions)
        tokens.append(await refresh(travelling, tokens[-1]))
        assert await row_of(database, sessions) == {
            **before,
            "generation": generation,
            "rotated_at_ms": clock.now_ms,
            "idle_expires_at_ms": clock.now_ms + _IDLE_MS,
        }
    assert len(set(tokens)) == 5


async def test_a_refresh_gives_the_session_as_it_is_now(
    travelling: Sessions, database: Database
) -> None:
    """What a refresh says of the user is what the user is at that moment, roles and epoch."""
    user = await stored_user(database, roles="admin user")
    started = await start(travelling, user)
    await user_store(database).change(user.id, UserChanges(roles=("user",)))
    outcome = await travelling.refresh(started.refresh_token, _CLIENT, None, _HERE)
    assert isinstance(outcome, Refreshed)
    holder = outcome.session.holder
    assert (outcome.session.generation, holder.roles, holder.epoch) == (2, ("user",), 1)


async def test_a_stored_generation_advances_once(
    store: SqlSessionStore, database: Database
) -> None:
    """A compare-and-set from a generation that is not the row's changes nothing."""
    session = new_session(await stored_user(database))
    await store.start(session, _LIFETIME)
    moved = await store.advance(session.id, generation=1, lifetime=_LIFETIME, origin=_HERE)
    assert moved is not None
    assert moved.generation == 2
    before = await row_of(database, sessions)
    for generation in (1, 3):
        assert (
            await store.advance(session.id, generation=generation, lifetime=_LIFETIME, origin=_HERE)
            is None
        )
    assert await row_of(database, sessions) == before


async def test_fifty_concurrent_refreshes_share_one_successor(
    real_time: Sessions, database: Database
) -> None:
    """50 concurrent refreshes of one token all get the same successor; one generation is used."""
    started = await start(real_time, await stored_user(database))
    together = (refresh(real_time, started.refresh_token) for _ in range(50))
    assert len(set(await asyncio.gather(*together))) == 1
    assert (await row_of(database, sessions))["generation"] == 2
    assert await rows_of(database, revocations) == []


@pytest.mark.parametrize("later_ms", [0, 1, _OVERLAP_MS])
async def test_the_predecessor_gets_its_successor_again(
    travelling: Sessions, database: Database, clock: TravelClock, later_ms: int
) -> None:
    """Within the overlap the token of before gets the same successor, and nothing is written."""
    started = await start(travelling, await stored_user(database))
    successor = await refresh(travelling, started.refresh_token)
    before = await row_of(database, sessions)
    clock.forward(later_ms)
    assert await refresh(travelling, started.refresh_token) == successor
    assert await row_of(database, sessions) == before
    await refresh(travelling, successor)


async def test_the_overlap_begins_with_the_rotation_alone(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """Asking again does not make the overlap longer."""
    started = await start(travelling, await stored_user(database))
    await refresh(travelling, started.refresh_token)
    clock.forward(_OVERLAP_MS)
    await refresh(travelling, started.refresh_token)
    clock.forward(1)
    assert await why_not(travelling, started.refresh_token) is Reason.REFRESH_TOKEN_REUSED


# Reuse.


async def test_the_predecessor_after_the_overlap_ends_the_session(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """One millisecond after the overlap an old token is reuse: session and newest token die."""
    started = await start(travelling, await stored_user(database))
    newest = await refresh(travelling, started.refresh_token)
    clock.forward(_OVERLAP_MS + 1)
    assert await why_not(travelling, started.refresh_token) is Reason.REFRESH_TOKEN_REUSED
    assert (await row_of(database, sessions))["revoked_at_ms"] == clock.now_ms
    recorded = dict(await row_of(database, revocations))
    del recorded["id"]
    assert recorded == {
        "kind": "session",
        "issuer": "",
        "subject": str(started.session_id),
        "epoch": None,
        "recorded_at_ms": clock.now_ms,
        "expires_at_ms": clock.now_ms + REVOCATION_LIFETIME_S * 1000,
    }
    assert await why_not(travelling, newest) is Reason.SESSION_REVOKED


async def test_an_older_token_ends_the_session_inside_the_overlap(
    travelling: Sessions, database: Database
) -> None:
    """The predecessor's predecessor is reuse at once: the overlap is for one generation only."""
    started = await start(travelling, await stored_user(database))
    second = await refresh(travelling, started.refresh_token)
    third = await refresh(travelling, second)
    assert await why_not(travelling, started.refresh_token) is Reason.REFRESH_TOKEN_REUSED
    for token in (started.refresh_token, second, third):
        assert await why_not(travelling, token) is Reason.SESSION_REVOKED
    assert len(await rows_of(database, revocations)) == 1


async def test_reuse_ends_no_other_session(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """Another login of the same user goes on when one session ends."""
    user = await stored_user(database)
    stolen, other = await start(travelling, user), await start(travelling, user)
    await refresh(travelling, stolen.refresh_token)
    clock.forward(_OVERLAP_MS + 1)
    await why_not(travelling, stolen.refresh_token)
    await refresh(travelling, other.refresh_token)


async def test_of_fifty_concurrent_reuses_one_is_recorded(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """50 concurrent uses of an old token are all refused and write exactly one revocation."""
    started = await start(travelling, await stored_user(database))
    await refresh(travelling, started.refresh_token)
    clock.forward(_OVERLAP_MS + 1)
    reasons = await asyncio.gather(*(why_not(travelling, started.refresh_token) for _ in range(50)))
    assert set(reasons) <= {Reason.REFRESH_TOKEN_REUSED, Reason.SESSION_REVOKED}
    assert Reason.REFRESH_TOKEN_REUSED in reasons
    assert len(await rows_of(database, revocations)) == 1


# Tokens that prove nothing.


async def test_a_token_of_another_key_changes_nothing(
    travelling: Sessions, store: SqlSessionStore, database: Database
) -> None:
    """A token whose MAC another secret key made is refused and the row stays as it is."""
    started = await start(travelling, await stored_user(database))
    await refresh(travelling, started.refresh_token)
    before = await row_of(database, sessions)
    key_id = secrets.token_bytes(4)
    ours, theirs = (
        RefreshTokenCodec(mac_key=secrets.token_bytes(32), key_id=key_id) for _ in range(2)
    )
    victims = Sessions(store, ours, _LIFETIME, new_id=uuid7)
    for generation in (1, 2, 3):
        forged = theirs.make(started.session_id, generation, before["salt"])
        assert await why_not(victims, forged) is Reason.REFRESH_TOKEN_INVALID
    assert await row_of(database, sessions) == before
    assert await rows_of(database, revocations) == []


async def test_a_token_of_another_salt_changes_nothing(
    travelling: Sessions, codec: RefreshTokenCodec, database: Database
) -> None:
    """The secret key without the row's salt makes no token: old, new and future are refused."""
    started = await start(travelling, await stored_user(database))
    await refresh(travelling, started.refresh_token)
    before = await row_of(database, sessions)
    for generation in (0, 1, 2, 3):
        forged = codec.make(started.session_id, generation, secrets.token_bytes(16))
        assert await why_not(travelling, forged) is Reason.REFRESH_TOKEN_INVALID
    assert await row_of(database, sessions) == before
    assert await rows_of(database, revocations) == []


async def test_a_refusal_of_what_proves_nothing_names_no_session(
    travelling: Sessions, codec: RefreshTokenCodec, database: Database
) -> None:
    """Events about a forged token cannot be pinned on the user whose session it claims."""
    started = await start(travelling, await stored_user(database))
    forged = codec.make(started.session_id, 1, secrets.token_bytes(16))
    outcome = await travelling.refresh(forged, _CLIENT, None, _HERE)
    assert outcome == RefreshRefused(Reason.REFRESH_TOKEN_INVALID)


async def test_a_token_of_an_unknown_session_is_refused(
    travelling: Sessions, codec: RefreshTokenCodec, database: Database
) -> None:
    """A well-made token of a session that is not there is refused like a forged one."""
    token = codec.make(uuid7(), 1, secrets.token_bytes(16))
    assert await why_not(travelling, token) is Reason.REFRESH_TOKEN_INVALID


async def test_a_token_from_the_future_changes_nothing(
    travelling: Sessions, database: Database
) -> None:
    """A token newer than its row is refused by that name, and the row's own token still works."""
    started = await start(travelling, await stored_user(database))
    second = await refresh(travelling, started.refresh_token)
    third = await refresh(travelling, second)
    await set_session(database, generation=2)
    before = await row_of(database, sessions)
    assert await why_not(travelling, third) is Reason.REFRESH_TOKEN_FROM_THE_FUTURE
    assert await row_of(database, sessions) == before
    assert await rows_of(database, revocations) == []
    assert await refresh(travelling, second) == third


async def test_another_client_cannot_use_the_token(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """A token in another client's hands is refused, old or new, and does not end the session."""
    started = await start(travelling, await stored_user(database))
    newest = await refresh(travelling, started.refresh_token)
    clock.forward(_OVERLAP_MS + 1)
    before = await row_of(database, sessions)
    for token in (started.refresh_token, newest):
        assert await why_not(travelling, token, "another") is Reason.REFRESH_TOKEN_INVALID
    assert await row_of(database, sessions) == before
    await refresh(travelling, newest)


# Scopes.


@pytest.mark.parametrize("asked", [{"admin"}, {"profile", "admin"}, {"unheard-of"}])
async def test_scopes_beyond_the_session_do_not_use_the_token_up(
    travelling: Sessions, database: Database, asked: set[str]
) -> None:
    """Asking for more than the session has is refused, and the token is as good as before."""
    started = await start(travelling, await stored_user(database))
    before = await row_of(database, sessions)
    outcome = await travelling.refresh(started.refresh_token, _CLIENT, frozenset(asked), _HERE)
    assert isinstance(outcome, RefreshRefused)
    assert outcome.reason is Reason.SCOPE_INVALID
    assert await row_of(database, sessions) == before
    await refresh(travelling, started.refresh_token)


async def test_reuse_is_seen_before_scopes_are_looked_at(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """A thief cannot hide an old token behind a scope that would be refused."""
    started = await start(travelling, await stored_user(database))
    await refresh(travelling, started.refresh_token)
    clock.forward(_OVERLAP_MS + 1)
    outcome = await travelling.refresh(started.refresh_token, _CLIENT, frozenset({"admin"}), _HERE)
    assert isinstance(outcome, RefreshRefused)
    assert outcome.reason is Reason.REFRESH_TOKEN_REUSED
    assert (await row_of(database, sessions))["revoked_at_ms"] == clock.now_ms


async def test_narrowing_leaves_the_session_its_scopes(
    travelling: Sessions, database: Database
) -> None:
    """A refresh for fewer scopes succeeds and the session keeps all of its own."""
    started = await start(travelling, await stored_user(database))
    outcome = await travelling.refresh(
        started.refresh_token, _CLIENT, frozenset({"profile"}), _HERE
    )
    assert isinstance(outcome, Refreshed)
    assert outcome.session.scopes == ("moderate", "profile")


# Expiry.


async def test_an_unused_session_ends_after_the_idle_time(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """A token works up to the last millisecond of the idle time and not after it."""
    user = await stored_user(database)
    in_time, too_late = await start(travelling, user), await start(travelling, user)
    clock.forward(_IDLE_MS - 1)
    await refresh(travelling, in_time.refresh_token)
    clock.forward(1)
    before = await row_of(database, sessions, id=too_late.session_id)
    assert await why_not(travelling, too_late.refresh_token) is Reason.REFRESH_TOKEN_EXPIRED
    assert await row_of(database, sessions, id=too_late.session_id) == before


async def test_use_moves_the_idle_expiry_up_to_the_absolute_one(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """Each use gives a new idle time, never beyond the absolute end, which never moves."""
    token = (await start(travelling, await stored_user(database))).refresh_token
    began_ms = clock.now_ms
    for after_ms in (50_000, 100_000, 149_999):
        clock.go(to_ms=began_ms + after_ms)
        token = await refresh(travelling, token)
        row = await row_of(database, sessions)
        assert row["created_at_ms"] == began_ms
        assert row["absolute_expires_at_ms"] == began_ms + _ABSOLUTE_MS
        assert row["idle_expires_at_ms"] == began_ms + min(after_ms + _IDLE_MS, _ABSOLUTE_MS)
    clock.go(to_ms=began_ms + _ABSOLUTE_MS)
    assert await why_not(travelling, token) is Reason.REFRESH_TOKEN_EXPIRED


async def test_the_absolute_expiry_holds_by_itself(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """A session past its absolute end is over even if its idle expiry were later."""
    token = (await start(travelling, await stored_user(database))).refresh_token
    await set_session(database, idle_expires_at_ms=clock.now_ms + 2 * _ABSOLUTE_MS)
    clock.forward(_ABSOLUTE_MS)
    assert await why_not(travelling, token) is Reason.REFRESH_TOKEN_EXPIRED


async def test_an_expired_row_cannot_be_advanced(
    store: SqlSessionStore, database: Database, clock: TravelClock
) -> None:
    """A session that expires between being read and being moved is not moved."""
    session = new_session(await stored_user(database))
    await store.start(session, _LIFETIME)
    clock.forward(_IDLE_MS)
    before = await row_of(database, sessions)
    assert await store.advance(session.id, generation=1, lifetime=_LIFETIME, origin=_HERE) is None
    assert await row_of(database, sessions) == before


async def test_old_tokens_of_an_expired_session_are_expired(
    travelling: Sessions, database: Database, clock: TravelClock
) -> None:
    """After expiry an old token is no reuse: there is nothing left to end."""
    started = await start(travelling, await stored_user(database))
    await refresh(travelling, started.refresh_token)
    clock.forward(_IDLE_MS)
    assert await why_not(travelling, started.refresh_token) is Reason.REFRESH_TOKEN_EXPIRED
    assert await rows_of(database, revocations) == []


# Ending.


async def test_a_session_ends_once(travelling: Sessions, database: Database) -> None:
    """Ending says whether there was something to end, and records it once."""
    started = await start(travelling, await stored_user(database))
    outcomes = await asyncio.gather(*(travelling.end(started.session_id) for _ in range(10)))
    assert Counter(outcomes) == {True: 1, False: 9}
    assert not await travelling.end(uuid7())
    assert len(await rows_of(database, revocations)) == 1
    assert await why_not(travelling, started.refresh_token) is Reason.SESSION_REVOKED


async def test_a_session_ends_whole_or_not_at_all(travelling: Sessions, database: Database) -> None:
    """A session whose end cannot be recorded for access tokens goes on."""
    started = await start(travelling, await stored_user(database))
    await make_revocations_unwritable(database)
    with pytest.raises(UNWRITABLE):
        await travelling.end(started.session_id)
    await refresh(travelling, started.refresh_token)


# Races.


async def test_no_token_outlives_an_acknowledged_end(
    real_time: Sessions, database: Database
) -> None:
    """In 20 rounds of refreshes against an end, whatever was given is dead when the end returns."""
    revoked = ReadAnew(SqlRevocationLog(database))
    for number in range(20):
        user = await stored_user(database)
        started = await start(real_time, user)
        has_ended = asyncio.Event()
        given, _ = await asyncio.gather(
            refresh_until_the_end(real_time, started.refresh_token, has_ended),
            end(real_time, started, has_ended, after=10 * number),
        )
        for token in (started.refresh_token, *given):
            assert await why_not(real_time, token) is Reason.SESSION_REVOKED
        assert await revoked.is_revoked(
            verified_token(user.id, started.session_id, epoch=user.epoch)
        )


async def refresh_until_the_end(
    sessions: Sessions, token: str, has_ended: asyncio.Event
) -> list[str]:
    """Refresh with four requests at a time until one is refused; gives every token there was.

    What is asked for when the end was acknowledged must be refused.
    """
    given: list[str] = []
    while True:
        is_late = has_ended.is_set()
        together = (sessions.refresh(token, _CLIENT, None, _HERE) for _ in range(4))
        outcomes = await asyncio.gather(*together)
        tokens = [outcome.refresh_token for outcome in outcomes if isinstance(outcome, Refreshed)]
        assert not (is_late and tokens)
        given += tokens
        if len(tokens) < len(outcomes):
            return given
        token = tokens[0]


async def end(
    sessions: Sessions, started: Started, has_ended: asyncio.Event, *, after: int
) -> None:
    await let_others_run(after)
    assert await sessions.end(started.session_id)
    has_ended.set()


async def test_no_refresh_outlives_a_new_password(
    login: Login, real_time: Sessions, database: Database
) -> None:
    """In 40 rounds of refreshes against a new password, every access token given is dead."""
    for number in range(40):
        user = await stored_user(database, roles="user")
        started = await start(real_time, user)
        await asyncio.gather(
            *(login.refresh(started.refresh_token) for _ in range(4)),
            change_password(database, user, after=number % 10),
        )
        for row in await rows_of(database, sessions, user_id=user.id):
            assert row["revoked_at_ms"] is not None
        assert await why_not(real_time, started.refresh_token) is Reason.SESSION_REVOKED
    assert {claims.epoch for claims in login.signer.signed} <= {0}


async def test_no_refresh_gives_a_role_taken_away(
    login: Login, real_time: Sessions, database: Database
) -> None:
    """In 40 rounds of refreshes against the loss of a role, who still gets it has a dead token."""
    for number in range(40):
        user = await stored_user(database, roles="admin user")
        started = await start(real_time, user)
        await asyncio.gather(
            *(login.refresh(started.refresh_token) for _ in range(4)),
            drop_admin(database, user, after=number % 10),
        )
    assert len(login.signer.signed) == 160
    for claims in login.signer.signed:
        assert (claims.epoch, claims.roles) in ((0, ("admin", "user")), (1, ("user",)))


async def drop_admin(database: Database, user: User, *, after: int) -> None:
    await let_others_run(after)
    changed = await user_store(database).change(user.id, UserChanges(roles=("user",)))
    assert changed is not None
    assert changed.epoch == 1
