"""The decision point, over fakes."""

import base64
from uuid import UUID

import pytest

from edge.access.basic import BasicLogin
from edge.access.decision import Allow, Decision, Malformed, Unauthenticated
from edge.access.decision_point import DecisionPoint
from edge.access.principal import Method, Principal
from edge.access.rules import RoleHierarchy, ScopePolicy
from edge.accounts.password_login import PasswordLogin
from edge.accounts.user import UserChanges
from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.token_check import TokenCheck
from tests.support.fakes import (
    NOW_S,
    CountingHasher,
    FakeClock,
    FakeRevocationList,
    FakeUserStore,
    FakeVerifier,
    FreeAttempts,
    make_claims,
    make_token,
    make_user,
)
from tests.support.secrets import remember

TOKEN = "a-made-up-access-token"
PASSWORD = "a made-up password to decide on"
remember(TOKEN, PASSWORD)

BEARER: frozenset[Method] = frozenset({"bearer"})
BASIC: frozenset[Method] = frozenset({"basic"})
BOTH = BEARER | BASIC
NEITHER: frozenset[Method] = frozenset()

MISSING = Unauthenticated(Reason.CREDENTIALS_MISSING)
INVALID = Unauthenticated(Reason.CREDENTIALS_INVALID)
UNSIGNED = Unauthenticated(Reason.SIGNATURE_INVALID)


def basic(username: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{username}:{password}".encode())


class House:
    """A decision point that knows one token, and `alice` who is a moderator."""

    def __init__(self) -> None:
        self.verifier = FakeVerifier(
            {TOKEN.encode(): make_token(roles=("moderator",), scope="profile other")}
        )
        self.revocations = FakeRevocationList()
        self.store = FakeUserStore()
        self.hasher = CountingHasher()
        self.clock = FakeClock(NOW_S + 0.5)
        self.login = PasswordLogin(self.store, self.hasher, max_length=64, attempts=FreeAttempts())
        self.point = DecisionPoint(
            tokens=TokenCheck(self.verifier, self.revocations, {}),
            basic=BasicLogin(self.login, digest_key=b"k" * 32, lifetime_s=300, clock=self.clock),
            roles=RoleHierarchy({"moderator": ["user"]}),
            scopes=ScopePolicy({"profile": ["user"], "admin": ["admin"]}),
            clock=self.clock,
        )

    async def decide(self, *values: bytes, accepted: frozenset[Method] = BEARER) -> Decision:
        return await self.point.decide(values, accepted, "203.0.113.7")


@pytest.fixture
async def house() -> House:
    made = House()
    await made.login.prepare()
    made.store.put(make_user(roles=("moderator",)), await made.hasher.hash(PASSWORD))
    return made


async def test_a_token_that_is_recalled_is_not_checked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever recalls it has the whole decision, also where it is made anew."""
    monkeypatch.setattr("edge.access.decision_point._MOST_DECIDED", 0)
    house = House()
    value = b"Bearer " + TOKEN.encode()
    decision = await house.decide(value)
    assert house.point.recall([value], BEARER) == decision


async def test_a_good_token_becomes_a_principal(house: House) -> None:
    """Roles are completed, scopes are the token's, and the session is named."""
    assert await house.decide(b"bearer " + TOKEN.encode()) == Allow(
        Principal(
            subject=str(UUID(int=1)),
            method="bearer",
            roles=frozenset({"moderator", "user"}),
            scopes=frozenset({"profile", "other"}),
            user_id=UUID(int=1),
            session_id=UUID(int=2),
            client_id="first-party",
        )
    )
    assert house.verifier.asked == [(TOKEN.encode(), NOW_S + 0.5)]


async def test_good_basic_credentials_become_a_principal(house: House) -> None:
    """Roles are completed, scopes are all the roles may hold, and there is no session."""
    assert await house.decide(basic("alice", PASSWORD), accepted=BASIC) == Allow(
        Principal(
            subject=str(UUID(int=1)),
            user_id=UUID(int=1),
            method="basic",
            roles=frozenset({"moderator", "user"}),
            scopes=frozenset({"profile"}),
        )
    )


@pytest.mark.parametrize(
    ("values", "accepted", "decision"),
    [
        ([], BEARER, MISSING),
        ([], BASIC, MISSING),
        ([], BOTH, MISSING),
        ([b"Bearer wrong"], BEARER, UNSIGNED),
        ([b"Bearer wrong"], BOTH, UNSIGNED),
        ([b"Bearer wrong"], BASIC, MISSING),
        ([b"Bearer wrong"], NEITHER, MISSING),
        ([b"Bearer " + TOKEN.encode()], BASIC, MISSING),
        ([b"Bearer " + TOKEN.encode()], NEITHER, MISSING),
        ([basic("alice", "wrong")], BASIC, INVALID),
        ([basic("alice", "wrong")], BOTH, INVALID),
        ([basic("nobody", PASSWORD)], BASIC, INVALID),
        ([basic("alice", PASSWORD)], BEARER, MISSING),
        ([basic("alice", PASSWORD)], NEITHER, MISSING),
        ([b"Digest abc"], BEARER, MISSING),
        ([b"Digest abc"], BOTH, MISSING),
        ([b"Basic " + TOKEN.encode()], BEARER, Malformed(Reason.AUTHORIZATION_MALFORMED)),
        ([b"xyz " + TOKEN.encode()], BEARER, MISSING),
        ([b"Bearer a b"], BEARER, Malformed(Reason.AUTHORIZATION_MALFORMED)),
        ([b"Bearer a b"], BASIC, Malformed(Reason.AUTHORIZATION_MALFORMED)),
        ([b"Basic !"], BOTH, Malformed(Reason.AUTHORIZATION_MALFORMED)),
        ([b""], BEARER, Malformed(Reason.AUTHORIZATION_MALFORMED)),
        (
            [b"Bearer " + TOKEN.encode()] * 2,
            BEARER,
            Malformed(Reason.AUTHORIZATION_REPEATED),
        ),
    ],
)
async def test_everything_else_is_refused(
    house: House, values: list[bytes], accepted: frozenset[Method], decision: Decision
) -> None:
    """Missing, wrong, unaccepted, unreadable and repeated credentials each have their refusal."""
    assert await house.decide(*values, accepted=accepted) == decision


@pytest.mark.parametrize("accepted", [BEARER, NEITHER])
async def test_a_password_is_not_looked_at_where_it_is_not_accepted(
    house: House, accepted: frozenset[Method]
) -> None:
    """A route that takes no Basic costs no look-up and no hash, whatever is sent."""
    await house.decide(basic("alice", PASSWORD), accepted=accepted)
    assert (house.store.reads, house.hasher.verifies) == (0, 0)


@pytest.mark.parametrize("reason", [Reason.TOKEN_EXPIRED, Reason.KEY_UNKNOWN, Reason.TYPE_MISMATCH])
async def test_the_reason_of_the_verifier_is_told(house: House, reason: Reason) -> None:
    """What is wrong with a token is passed on, and nobody asks whether it was revoked."""
    house.verifier.known[TOKEN.encode()] = reason
    assert await house.decide(b"Bearer " + TOKEN.encode()) == Unauthenticated(reason)
    assert house.revocations.asked == 0


@pytest.mark.parametrize("claim", ["sub", "sid"])
async def test_a_token_about_something_else_than_our_users_is_malformed(
    house: House, claim: str
) -> None:
    """A subject or session that is no UUID lets nobody in, well signed as it may be."""
    house.verifier.known[TOKEN.encode()] = make_token(**{claim: "client-7"})
    decision = await house.decide(b"Bearer " + TOKEN.encode())
    assert decision == Unauthenticated(Reason.TOKEN_MALFORMED)


async def test_a_revoked_token_is_refused(house: House) -> None:
    """A token that is good in itself dies with its entry in the revocation list."""
    house.revocations.revoked.add(make_claims().jti)
    decision = await house.decide(b"Bearer " + TOKEN.encode())
    assert decision == Unauthenticated(Reason.TOKEN_REVOKED)


async def test_a_list_that_is_away_is_a_fault(house: House) -> None:
    """Where revocations cannot be read nobody is let in and nobody's token is called bad."""
    house.revocations.fault = UnavailableError(Reason.STORE_UNAVAILABLE)
    with pytest.raises(UnavailableError):
        await house.decide(b"Bearer " + TOKEN.encode())


async def test_a_disabled_account_is_refused(house: House) -> None:
    """Basic credentials of a disabled account are told so, as the password was right."""
    await house.store.change(UUID(int=1), UserChanges(is_disabled=True))
    decision = await house.decide(basic("alice", PASSWORD), accepted=BASIC)
    assert decision == Unauthenticated(Reason.ACCOUNT_DISABLED)


async def test_the_session_of_a_token_is_its_own(house: House) -> None:
    """Two tokens of one user keep their sessions apart."""
    house.verifier.known[b"other"] = make_token(sid=str(UUID(int=7)))
    decision = await house.decide(b"Bearer other")
    assert isinstance(decision, Allow)
    assert decision.principal.session_id == UUID(int=7)


async def test_a_token_that_was_seen_is_decided_at_once(house: House) -> None:
    """It says what it said the first time, and the verifier is not asked again."""
    value = b"Bearer " + TOKEN.encode()
    assert house.point.recall([value], BEARER) is None
    decided = await house.decide(value)
    assert house.point.recall([value], BEARER) == house.point.recall([value], BOTH) == decided
    assert len(house.verifier.asked) == 1


@pytest.mark.parametrize(
    ("values", "accepted"),
    [
        ([], BEARER),
        ([b"Bearer a", b"Bearer a"], BEARER),
        ([b"Bearer " + TOKEN.encode()] * 2, BEARER),
        ([b"Bearer " + TOKEN.encode()], BASIC),
        ([b"Bearer " + TOKEN.encode()], NEITHER),
        ([b"Bearer  " + TOKEN.encode()], BEARER),
        ([b"Bearer " + TOKEN.encode() + b" "], BEARER),
        ([TOKEN.encode()], BEARER),
        ([basic("alice", PASSWORD)], BOTH),
    ],
)
async def test_nothing_but_one_such_token_is_decided_at_once(
    house: House, values: list[bytes], accepted: frozenset[Method]
) -> None:
    """All else takes a closer look, however often it was seen."""
    await house.decide(b"Bearer " + TOKEN.encode())
    assert house.point.recall(values, accepted) is None


async def test_a_seen_token_that_was_revoked_is_not_decided_at_once(house: House) -> None:
    """Nor does one let anybody in while it cannot be known."""
    value = b"Bearer " + TOKEN.encode()
    await house.decide(value)
    house.revocations.revoked.add(make_claims().jti)
    assert house.point.recall([value], BEARER) is None
    house.revocations.fault = UnavailableError(Reason.REVOCATIONS_UNAVAILABLE)
    with pytest.raises(UnavailableError):
        house.point.recall([value], BEARER)
