"""What clients may do with tokens, where whose tokens they are decides."""

from typing import Final
from uuid import UUID

import msgspec
import pytest

from edge.access.client_tokens import ClientTokens, Ended
from edge.accounts.client import Client
from edge.reasons import Reason
from edge.tokens.claims import VerifiedToken
from edge.tokens.refresh_token import RefreshTokenCodec
from edge.tokens.session import Origin, SessionLifetime
from edge.tokens.sessions import Sessions
from edge.tokens.token_check import TokenCheck
from tests.support.fakes import NOW_S, FakeClock, FakeSessionStore, id_sequence, make_user
from tests.support.secrets import remember

ALICE: Final = make_user()
LIFETIME: Final = SessionLifetime(idle_ms=60_000, absolute_ms=90_000, overlap_ms=10_000)
OWNER: Final = Client(
    id="portal", name="Portal", is_confidential=True, grants=("password",), scopes=frozenset()
)
OTHER: Final = msgspec.structs.replace(OWNER, id="other")
GATEWAY: Final = msgspec.structs.replace(OWNER, id="gateway", may_introspect=True)
TOKEN: Final = VerifiedToken(
    issuer="",
    subject=str(ALICE.id),
    expires_at_s=NOW_S + 900,
    roles=(),
    scopes=frozenset({"profile"}),
    epoch=0,
    subject_name="user",
    session_name="",
    token_name="",
    client_id="portal",
    token_id="token-1",
    issued_at_s=NOW_S,
)
FOREIGN: Final = msgspec.structs.replace(TOKEN, issuer="https://somebody.else")


class KnownTokens(TokenCheck):
    """A check that knows the good access tokens by heart."""

    def __init__(self, known: dict[bytes, VerifiedToken]) -> None:
        self.known = known

    async def check(self, token: bytes, now_s: float) -> VerifiedToken | Reason:
        assert now_s == NOW_S
        return self.known.get(token, Reason.TOKEN_MALFORMED)


class ListRevoker:
    """A `TokenRevoker` that remembers ids."""

    def __init__(self) -> None:
        self.revoked: list[str] = []

    async def revoke(self, token_id: str) -> None:
        self.revoked.append(token_id)


class House:
    """A session of `alice` through the client `portal`, and two access tokens."""

    def __init__(self) -> None:
        self.store = FakeSessionStore(ALICE)
        self.codec = RefreshTokenCodec(mac_key=b"m" * 32, key_id=b"kkkk")
        self.sessions = Sessions(self.store, self.codec, LIFETIME, new_id=id_sequence())
        self.revoker = ListRevoker()
        self.tokens = ClientTokens(
            KnownTokens({b"good": TOKEN, b"foreign": FOREIGN}),
            self.sessions,
            self.revoker,
            issuer="https://edge.test",
            audience="edge",
            clock=FakeClock(),
        )

    async def start(self) -> str:
        started = await self.sessions.start(
            user_id=ALICE.id, epoch=0, client_id="portal", scopes=("profile",), origin=Origin()
        )
        assert started is not None
        remember(started.refresh_token)
        return started.refresh_token

    @property
    def is_over(self) -> bool:
        (row,) = self.store.rows.values()
        return row.revoked_at_ms is not None


@pytest.fixture
def house() -> House:
    return House()


async def test_a_client_ends_its_tokens(house: House) -> None:
    """A refresh token ends its session, once; an access token itself."""
    token = await house.start()
    ended = Ended(subject=str(ALICE.id), session_id=UUID(int=1))
    assert await house.tokens.revoke(OWNER, token) == ended
    assert await house.tokens.revoke(OWNER, token) is None
    assert house.is_over
    assert await house.tokens.revoke(OWNER, "good") == Ended(subject=str(ALICE.id))
    assert house.revoker.revoked == ["token-1"]


async def test_nobody_ends_the_tokens_of_another(house: House) -> None:
    """Not even a client that may ask about them."""
    token = await house.start()
    for client in (OTHER, GATEWAY):
        for text in (token, "good"):
            assert await house.tokens.revoke(client, text) is Reason.TOKEN_OF_ANOTHER_CLIENT
    assert not house.is_over
    assert house.revoker.revoked == []


async def test_tokens_of_other_issuers_are_unknown_here(house: House) -> None:
    """They are neither ended nor told about, whatever client they name."""
    assert await house.tokens.revoke(OWNER, "foreign") is None
    assert house.revoker.revoked == []
    assert await house.tokens.introspect(OWNER, "foreign") is None
    assert await house.tokens.introspect(GATEWAY, "foreign") is None


async def test_who_may_know_is_told(house: House) -> None:
    """The owner and a client that may introspect get the same facts, another client none."""
    token = await house.start()
    for text in (token, "good"):
        facts = await house.tokens.introspect(OWNER, text)
        assert facts is not None
        assert (facts.client_id, facts.subject) == ("portal", str(ALICE.id))
        assert await house.tokens.introspect(GATEWAY, text) == facts
        assert await house.tokens.introspect(OTHER, text) is None


async def test_a_refresh_token_expires_when_its_session_would(house: House) -> None:
    """The earlier of both ends counts, in whole seconds."""
    token = await house.start()
    facts = await house.tokens.introspect(OWNER, token)
    assert facts is not None
    assert (facts.issued_at_s, facts.expires_at_s) == (NOW_S, NOW_S + 60)
    house.store.now_ms += 60_000
    assert await house.tokens.introspect(OWNER, token) is None
