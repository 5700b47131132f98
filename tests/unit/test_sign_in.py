"""Signing in, going on and signing out: real sessions and tokens over fakes."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from edge.access.decision import Malformed, Unauthenticated
from edge.access.rules import RoleHierarchy, ScopePolicy
from edge.access.sign_in import SignedIn, SignIn, SignInRefused
from edge.accounts.client import built_in_client
from edge.accounts.password_login import PasswordLogin
from edge.accounts.user import UserChanges
from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.access_tokens import AccessTokenIssuer
from edge.tokens.claims import AccessClaims
from edge.tokens.refresh_token import RefreshTokenCodec
from edge.tokens.session import Origin, SessionLifetime
from edge.tokens.sessions import Sessions
from tests.support.fakes import (
    NOW_S,
    CountingHasher,
    FakeClock,
    FakeSessionStore,
    FakeSigner,
    FakeUserStore,
    FreeAttempts,
    id_sequence,
    make_user,
)
from tests.support.secrets import remember

PASSWORD = "a made-up sign-in password"
WRONG = "a wrong made-up sign-in password"
remember(PASSWORD, WRONG)

ALICE = make_user(roles=("moderator",), epoch=3)
CLIENT = built_in_client("first-party", ["profile", "moderate", "admin"])
HERE = Origin("203.0.113.7", "a browser")
LIFETIME = SessionLifetime(idle_ms=60_000, absolute_ms=600_000, overlap_ms=10_000)


class House:
    """Sign-in for `alice`, a moderator, through sessions in memory; everything in one place."""

    def __init__(self) -> None:
        self.users = FakeUserStore()
        self.hasher = CountingHasher()
        self.sessions = FakeSessionStore(ALICE)
        self.signer = FakeSigner()
        self.clock = FakeClock(NOW_S + 0.9)
        self.login = PasswordLogin(self.users, self.hasher, max_length=64, attempts=FreeAttempts())
        self.sign_in = SignIn(
            self.login,
            Sessions(
                self.sessions,
                RefreshTokenCodec(mac_key=b"m" * 32, key_id=b"kkkk"),
                LIFETIME,
                new_id=id_sequence(),
            ),
            AccessTokenIssuer(
                self.signer,
                issuer="https://edge.test",
                audience="edge",
                lifetime_s=900,
                clock=self.clock,
                new_id=lambda: UUID(int=77),
            ),
            roles=RoleHierarchy({"moderator": ["user"]}),
            scopes=ScopePolicy(
                {"profile": ["user"], "moderate": ["moderator"], "admin": ["admin"]}
            ),
        )

    async def start(self, scope: str | None = None) -> SignedIn:
        signed_in = await self.sign_in.with_password(CLIENT, "alice", PASSWORD, scope, HERE)
        assert isinstance(signed_in, SignedIn)
        assert signed_in.refresh_token is not None
        remember(signed_in.refresh_token)
        return signed_in

    async def refresh(
        self, token: str | None, scope: str | None = None
    ) -> SignedIn | SignInRefused:
        assert token is not None
        return await self.sign_in.with_refresh_token(CLIENT, token, scope, HERE)

    async def refreshed(self, token: str | None, scope: str | None = None) -> SignedIn:
        outcome = await self.refresh(token, scope)
        assert isinstance(outcome, SignedIn), outcome
        assert outcome.refresh_token is not None
        remember(outcome.refresh_token)
        return outcome

    def change_alice(self, **fields: object) -> None:
        """Change the row that sessions see, as an administrator would."""
        self.sessions.holder = msgspec.structs.replace(self.sessions.holder, **fields)

    @property
    def generation(self) -> int:
        (row,) = self.sessions.rows.values()
        return row.generation

    @property
    def is_over(self) -> bool:
        (row,) = self.sessions.rows.values()
        return row.revoked_at_ms is not None


@pytest.fixture
async def house() -> House:
    made = House()
    await made.login.prepare()
    made.users.put(ALICE, await made.hasher.hash(PASSWORD))
    return made


# With a password.


async def test_a_login_starts_a_session_and_says_so_in_its_token(house: House) -> None:
    """The access token names user, session, client, roles, scopes and epoch, for 15 minutes."""
    signed_in = await house.start()
    (session_id,) = house.sessions.rows
    assert signed_in.user_id == ALICE.id
    assert signed_in.session_id == session_id
    assert signed_in.access_token == "access-token-1"
    assert signed_in.scopes == ("moderate", "profile")
    assert signed_in.expires_in_s == 900
    assert house.signer.signed == [
        AccessClaims(
            iss="https://edge.test",
            sub=str(ALICE.id),
            aud="edge",
            exp=NOW_S + 900,
            iat=NOW_S,
            jti=str(UUID(int=77)),
            client_id="first-party",
            sid=str(session_id),
            epoch=3,
            scope="moderate profile",
            roles=("moderator",),
        )
    ]


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (None, ("moderate", "profile")),
        ("profile", ("profile",)),
        ("profile admin", ("profile",)),
        ("profile moderate", ("moderate", "profile")),
    ],
)
async def test_a_login_gets_the_scopes_it_asks_for_and_may_have(
    house: House, asked: str | None, granted: tuple[str, ...]
) -> None:
    """Session, token and answer all hold the scopes that were granted."""
    signed_in = await house.start(asked)
    assert signed_in.scopes == granted
    assert house.sessions.rows[signed_in.session_id].scopes == granted
    assert house.signer.signed[0].scope == " ".join(granted)


@pytest.mark.parametrize("asked", ["admin", "unknown", "profile unknown", "", " ", "a  b"])
async def test_a_login_for_a_bad_scope_starts_nothing(house: House, asked: str) -> None:
    """A scope that is unknown, malformed or wholly beyond the roles is refused."""
    outcome = await house.sign_in.with_password(CLIENT, "alice", PASSWORD, asked, HERE)
    assert outcome == SignInRefused(decision=Malformed(Reason.SCOPE_INVALID), user_id=ALICE.id)
    assert house.sessions.rows == {}
    assert house.signer.signed == []


async def test_a_wrong_password_starts_nothing(house: House) -> None:
    """Wrong credentials are refused before the scope is looked at, and name nobody."""
    for username, password in (("alice", WRONG), ("nobody", PASSWORD)):
        outcome = await house.sign_in.with_password(CLIENT, username, password, "unknown", HERE)
        refusal = Unauthenticated(Reason.CREDENTIALS_INVALID)
        assert outcome == SignInRefused(decision=refusal)
    assert house.sessions.rows == {}


async def test_a_disabled_account_starts_nothing(house: House) -> None:
    """The right password of a disabled account is told that it is disabled."""
    await house.users.change(ALICE.id, UserChanges(is_disabled=True))
    outcome = await house.sign_in.with_password(CLIENT, "alice", PASSWORD, None, HERE)
    assert isinstance(outcome, SignInRefused)
    assert outcome.decision == Unauthenticated(Reason.ACCOUNT_DISABLED)
    assert house.sessions.rows == {}


@pytest.mark.parametrize("change", [{"epoch": 4}, {"is_disabled": True}])
async def test_a_change_during_the_hash_starts_nothing(
    house: House, change: dict[str, object]
) -> None:
    """Whoever was locked out while the old password was hashed gets no session."""
    house.change_alice(**change)
    outcome = await house.sign_in.with_password(CLIENT, "alice", PASSWORD, None, HERE)
    refusal = Unauthenticated(Reason.CREDENTIALS_INVALID)
    assert outcome == SignInRefused(decision=refusal, user_id=ALICE.id)
    assert house.signer.signed == []


async def test_every_login_is_a_session_of_its_own(house: House) -> None:
    """Two logins of one user share neither session, salt nor refresh token."""
    one, other = await house.start(), await house.start()
    assert one.session_id != other.session_id
    assert one.refresh_token != other.refresh_token
    salts = {row.salt for row in house.sessions.rows.values()}
    assert len(salts) == 2
    assert all(len(salt) == 16 for salt in salts)


# With a refresh token.


async def test_a_refresh_gives_the_successor(house: House) -> None:
    """The session goes on one generation further, under the same id, with new tokens."""
    first = await house.start()
    second = await house.refreshed(first.refresh_token)
    third = await house.refreshed(second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert {first.session_id, second.session_id, third.session_id} == {first.session_id}
    assert house.generation == 3
    assert [claims.sid for claims in house.signer.signed] == [str(first.session_id)] * 3


async def test_the_predecessor_gets_the_same_successor_within_the_overlap(house: House) -> None:
    """A lost answer does no harm: up to ten seconds later the same token comes again."""
    first = await house.start()
    second = await house.refreshed(first.refresh_token)
    house.sessions.now_ms += LIFETIME.overlap_ms
    again = await house.refreshed(first.refresh_token)
    assert again.refresh_token == second.refresh_token
    assert house.generation == 2
    assert house.sessions.advances == 1


async def test_the_predecessor_after_the_overlap_ends_the_session(house: House) -> None:
    """One millisecond later the token is in the hands of two parties, and neither goes on."""
    first = await house.start()
    second = await house.refreshed(first.refresh_token)
    house.sessions.now_ms += LIFETIME.overlap_ms + 1
    refusal = Unauthenticated(Reason.REFRESH_TOKEN_REUSED)
    assert await house.refresh(first.refresh_token) == SignInRefused(
        decision=refusal, user_id=ALICE.id, session_id=first.session_id
    )
    assert house.is_over
    after = await house.refresh(second.refresh_token)
    assert isinstance(after, SignInRefused)
    assert after.decision == Unauthenticated(Reason.SESSION_REVOKED)


async def test_a_grandparent_ends_the_session_at_once(house: House) -> None:
    """Two generations back the overlap is no excuse."""
    first = await house.start()
    second = await house.refreshed(first.refresh_token)
    await house.refreshed(second.refresh_token)
    outcome = await house.refresh(first.refresh_token)
    assert isinstance(outcome, SignInRefused)
    assert outcome.decision == Unauthenticated(Reason.REFRESH_TOKEN_REUSED)
    assert house.is_over


async def test_fifty_refreshes_at_once_get_one_successor(house: House) -> None:
    """Of 50 at once one moves the session on, and all of them get the same refresh token."""
    first = await house.start()
    outcomes = await asyncio.gather(*(house.refreshed(first.refresh_token) for _ in range(50)))
    assert len({outcome.refresh_token for outcome in outcomes}) == 1
    assert house.generation == 2


async def test_whoever_loses_the_race_becomes_the_predecessor(house: House) -> None:
    """Where another request moved the session after it was read, both get the same token."""
    first = await house.start()
    (session_id,) = house.sessions.rows

    def somebody_is_faster() -> None:
        row = house.sessions.rows[session_id]
        house.sessions.rows[session_id] = msgspec.structs.replace(
            row, generation=2, rotated_at_ms=house.sessions.now_ms
        )

    house.sessions.changes.append(somebody_is_faster)
    loser = await house.refreshed(first.refresh_token)
    assert house.generation == 2
    assert house.sessions.finds == 2
    winner_again = await house.refreshed(first.refresh_token)
    assert loser.refresh_token == winner_again.refresh_token


async def test_a_logout_during_a_refresh_wins(house: House) -> None:
    """When the session ends between reading and writing, there is no successor."""
    first = await house.start()
    (session_id,) = house.sessions.rows

    def somebody_logs_out() -> None:
        row = house.sessions.rows[session_id]
        house.sessions.rows[session_id] = msgspec.structs.replace(row, revoked_at_ms=1)

    house.sessions.changes.append(somebody_logs_out)
    outcome = await house.refresh(first.refresh_token)
    assert isinstance(outcome, SignInRefused)
    assert outcome.decision == Unauthenticated(Reason.SESSION_REVOKED)
    assert house.generation == 1


@pytest.mark.parametrize(
    ("elapsed_ms", "goes_on"),
    [(0, True), (59_999, True), (60_000, False), (600_000, False)],
)
async def test_an_unused_session_ends(house: House, elapsed_ms: int, goes_on: bool) -> None:  # noqa: FBT001  # a row of the table
    """A session unused for its idle time is over, to the millisecond, and changes no more."""
    first = await house.start()
    house.sessions.now_ms += elapsed_ms
    outcome = await house.refresh(first.refresh_token)
    assert isinstance(outcome, SignedIn) is goes_on
    assert house.generation == (2 if goes_on else 1)
    if isinstance(outcome, SignInRefused):
        assert outcome.decision == Unauthenticated(Reason.REFRESH_TOKEN_EXPIRED)
        assert outcome.session_id == first.session_id


async def test_use_does_not_prolong_a_session_beyond_its_absolute_end(house: House) -> None:
    """Refreshed every 50 seconds, the session ends 600 seconds after the login all the same."""
    token = (await house.start()).refresh_token
    for _ in range(11):
        house.sessions.now_ms += 50_000
        token = (await house.refreshed(token)).refresh_token
    house.sessions.now_ms += 50_000
    outcome = await house.refresh(token)
    assert isinstance(outcome, SignInRefused)
    assert outcome.decision == Unauthenticated(Reason.REFRESH_TOKEN_EXPIRED)


@pytest.mark.parametrize(
    "forged",
    ["", "edge_rt_", "edge_rt_" + "A" * 76, "access-token-1", "\ud800", "edge_rt_\u00e9" * 9],
)
async def test_what_is_no_refresh_token_costs_no_look_up(house: House, forged: str) -> None:
    """Junk is refused without asking the store, and nobody is named."""
    await house.start()
    outcome = await house.refresh(forged)
    refusal = Unauthenticated(Reason.REFRESH_TOKEN_INVALID)
    assert outcome == SignInRefused(decision=refusal)
    assert house.sessions.finds == 0


async def test_a_wrong_mac_changes_nothing(house: House) -> None:
    """A forged token of a real session is refused, and the session goes on."""
    first = await house.start()
    (session_id,) = house.sessions.rows
    stranger = RefreshTokenCodec(mac_key=b"x" * 32, key_id=b"kkkk")
    for generation in (1, 2, 2**32 - 1):
        forged = stranger.make(session_id, generation, house.sessions.rows[session_id].salt)
        outcome = await house.refresh(forged)
        assert outcome == SignInRefused(decision=Unauthenticated(Reason.REFRESH_TOKEN_INVALID))
    assert not house.is_over
    await house.refreshed(first.refresh_token)


async def test_a_token_of_an_unknown_session_is_invalid(house: House) -> None:
    """When the session is gone from the store its tokens are nothing."""
    first = await house.start()
    house.sessions.rows.clear()
    outcome = await house.refresh(first.refresh_token)
    assert outcome == SignInRefused(decision=Unauthenticated(Reason.REFRESH_TOKEN_INVALID))


async def test_a_generation_from_the_future_is_refused_and_ends_nothing(house: House) -> None:
    """A proven token above the row's generation tells of a database set back; nothing moves."""
    first = await house.start()
    second = await house.refreshed(first.refresh_token)
    (session_id,) = house.sessions.rows
    row = house.sessions.rows[session_id]
    house.sessions.rows[session_id] = msgspec.structs.replace(row, generation=1)
    outcome = await house.refresh(second.refresh_token)
    assert outcome == SignInRefused(
        decision=Unauthenticated(Reason.REFRESH_TOKEN_FROM_THE_FUTURE),
        user_id=ALICE.id,
        session_id=session_id,
    )
    assert not house.is_over
    assert house.generation == 1


async def test_another_client_cannot_use_or_end_a_session(house: House) -> None:
    """An old token in the hands of another client is refused and is no reuse."""
    first = await house.start()
    second = await house.refreshed(first.refresh_token)
    house.sessions.now_ms += LIFETIME.overlap_ms + 1
    other = msgspec.structs.replace(CLIENT, id="another-client")
    for token in (first.refresh_token, second.refresh_token):
        assert token is not None
        outcome = await house.sign_in.with_refresh_token(other, token, None, HERE)
        assert outcome == SignInRefused(decision=Unauthenticated(Reason.REFRESH_TOKEN_INVALID))
    assert not house.is_over
    assert house.generation == 2


async def test_a_disabled_account_does_not_go_on(house: House) -> None:
    """A session whose user was disabled gives out no tokens."""
    first = await house.start()
    house.change_alice(is_disabled=True)
    outcome = await house.refresh(first.refresh_token)
    assert isinstance(outcome, SignInRefused)
    assert outcome.decision == Unauthenticated(Reason.ACCOUNT_DISABLED)
    assert len(house.signer.signed) == 1


# Scopes and roles on the way.


@pytest.mark.parametrize(
    ("asked", "granted"),
    [(None, ("moderate", "profile")), ("profile", ("profile",)), ("moderate profile", None)],
)
async def test_a_refresh_may_narrow_the_access_token(
    house: House, asked: str | None, granted: tuple[str, ...] | None
) -> None:
    """The narrower scopes are the access token's; the session keeps its own for the next time."""
    first = await house.start()
    second = await house.refreshed(first.refresh_token, asked)
    assert second.scopes == (granted or ("moderate", "profile"))
    third = await house.refreshed(second.refresh_token)
    assert third.scopes == ("moderate", "profile")


@pytest.mark.parametrize("asked", ["moderate", "profile moderate", "admin", "unknown", "", "a  b"])
async def test_a_refresh_beyond_the_session_uses_nothing_up(house: House, asked: str) -> None:
    """A scope beyond the session's, or none at all, is refused; the token is good for another."""
    first = await house.start("profile")
    outcome = await house.refresh(first.refresh_token, asked)
    assert isinstance(outcome, SignInRefused)
    assert outcome.decision == Malformed(Reason.SCOPE_INVALID)
    assert house.generation == 1
    assert (await house.refreshed(first.refresh_token, "profile")).scopes == ("profile",)


async def test_reuse_is_found_also_behind_a_bad_scope(house: House) -> None:
    """An old token ends the session whatever scope it comes with."""
    first = await house.start("profile")
    await house.refreshed(first.refresh_token)
    house.sessions.now_ms += LIFETIME.overlap_ms + 1
    outcome = await house.refresh(first.refresh_token, "admin")
    assert isinstance(outcome, SignInRefused)
    assert outcome.decision == Unauthenticated(Reason.REFRESH_TOKEN_REUSED)
    assert house.is_over


async def test_a_role_taken_away_is_gone_with_the_next_refresh(house: House) -> None:
    """Roles, scopes and epoch of a refreshed token are those of now, not of the login."""
    first = await house.start()
    house.change_alice(roles=("user",), epoch=4)
    second = await house.refreshed(first.refresh_token)
    assert second.scopes == ("profile",)
    claims = house.signer.signed[-1]
    assert (claims.roles, claims.scope, claims.epoch) == (("user",), "profile", 4)


async def test_a_role_given_later_brings_no_scope_to_an_old_session(house: House) -> None:
    """A session never gets more scopes than its login was granted."""
    first = await house.start()
    house.change_alice(roles=("admin", "moderator"))
    second = await house.refreshed(first.refresh_token)
    assert second.scopes == ("moderate", "profile")
    assert house.signer.signed[-1].roles == ("admin", "moderator")


# What clients may.


async def test_a_client_limits_the_scopes_of_its_users(house: House) -> None:
    """A user gets from a client at most what both may have, at the login and at each refresh."""
    narrow = msgspec.structs.replace(CLIENT, scopes=frozenset({"profile", "admin"}))
    signed_in = await house.sign_in.with_password(narrow, "alice", PASSWORD, None, HERE)
    assert isinstance(signed_in, SignedIn)
    assert signed_in.scopes == ("profile",)
    refused = await house.sign_in.with_password(narrow, "alice", PASSWORD, "moderate", HERE)
    assert isinstance(refused, SignInRefused)
    assert refused.decision == Malformed(Reason.SCOPE_INVALID)
    none = msgspec.structs.replace(CLIENT, scopes=frozenset())
    assert signed_in.refresh_token is not None
    later = await house.sign_in.with_refresh_token(none, signed_in.refresh_token, None, HERE)
    assert isinstance(later, SignedIn)
    assert later.scopes == ()


async def test_a_client_that_may_not_refresh_gets_no_refresh_token(house: House) -> None:
    """What it could not use, it is not given."""
    only_passwords = msgspec.structs.replace(CLIENT, grants=("password",))
    signed_in = await house.sign_in.with_password(only_passwords, "alice", PASSWORD, None, HERE)
    assert isinstance(signed_in, SignedIn)
    assert signed_in.refresh_token is None


async def test_a_session_says_where_it_is_used_from(house: House) -> None:
    """The origin of the login is stored, and that of each refresh after it."""
    first = await house.start()
    assert house.sessions.origins == [HERE]
    await house.refreshed(first.refresh_token)
    assert house.sessions.origins == [HERE, HERE]


# Signing out, and faults.


async def test_signing_out_ends_the_session_once(house: House) -> None:
    """The first time ends it, the second finds it ended; its refresh token is dead."""
    first = await house.start()
    assert await house.sign_in.out(first.session_id)
    assert not await house.sign_in.out(first.session_id)
    assert not await house.sign_in.out(UUID(int=999))
    outcome = await house.refresh(first.refresh_token)
    assert isinstance(outcome, SignInRefused)
    assert outcome.decision == Unauthenticated(Reason.SESSION_REVOKED)


async def test_a_store_that_is_away_is_a_fault(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where sessions cannot be read the token is not called invalid."""
    first = await house.start()

    async def away(session_id: UUID) -> None:
        raise UnavailableError(Reason.STORE_UNAVAILABLE)

    monkeypatch.setattr(house.sessions, "find", away)
    with pytest.raises(UnavailableError):
        await house.refresh(first.refresh_token)


async def test_tokens_do_not_show_themselves(house: House) -> None:
    """The representation of a successful login names user and session only."""
    signed_in = await house.start()
    shown = f"{signed_in!r} {[signed_in]}"
    assert signed_in.access_token not in shown
    assert signed_in.refresh_token is not None
    assert signed_in.refresh_token not in shown
    assert str(signed_in.session_id) in shown
