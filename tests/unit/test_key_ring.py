"""The ring of opened keys: which one signs, when none does, and what is published."""

import json
import secrets

import pytest

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.claims import VerifiedToken
from edge.tokens.jose.sealing import KeySealer
from edge.tokens.key_ring import KeyRing, RingKey
from edge.tokens.key_schedule import KeyTimes
from edge.tokens.own_tokens import OwnTokens
from edge.tokens.signing_key import OpenedKey
from edge.tokens.verifier import Verifier
from tests.support.fakes import NOW_S, FakeClock, make_claims
from tests.support.keys import SCHEDULE
from tests.unit.test_verifier import POLICY

DELAY_S = SCHEDULE.publish_delay_ms // 1000
DATABASE_MS = 5_000_000_000  # whatever the database's clock says, it need not be ours

_SEALER = KeySealer([secrets.token_bytes(32)])


def opened(algorithm: str = "ES256") -> OpenedKey:
    return _SEALER.open(_SEALER.generate(algorithm))  # type: ignore[arg-type]


OLD, NEW = opened(), opened()


class Replica:
    """A ring with clocks that are turned by hand."""

    def __init__(self) -> None:
        self.wall, self.monotonic = FakeClock(NOW_S), FakeClock(1000.0)
        self.verifier = Verifier([OwnTokens(POLICY)], most_remembered=10)
        self.ring = KeyRing(
            self.verifier, POLICY.issuer, SCHEDULE, clock=self.wall, monotonic=self.monotonic
        )

    def load(self, *keys: tuple[OpenedKey, int, int | None]) -> None:
        """Load keys with the seconds from now at which they activate and retire."""
        now_ms = DATABASE_MS + round((self.monotonic.now - 1000.0) * 1000)
        self.ring.load(
            [
                RingKey(
                    key,
                    KeyTimes(
                        kid=key.signing.kid,
                        created_at_ms=0,
                        activates_at_ms=now_ms + activates_s * 1000,
                        retires_at_ms=None if retires_s is None else now_ms + retires_s * 1000,
                    ),
                )
                for key, activates_s, retires_s in keys
            ],
            read_at_ms=now_ms,
            began_s=self.monotonic.now,
        )

    def wait(self, seconds: float) -> None:
        self.wall.now += seconds
        self.monotonic.now += seconds

    def kid_of_new_token(self) -> str:
        token = self.ring.sign(make_claims())
        claimed = self.verifier.claimed(token.encode())
        assert isinstance(claimed, tuple)
        return claimed[1]

    def verdict(self, token: str) -> VerifiedToken | Reason:
        return self.verifier.verify(token.encode(), self.wall.now)


def test_the_key_changes_at_its_time_without_a_look() -> None:
    """A successor that was loaded signs from the second on that its row says."""
    replica = Replica()
    replica.load((OLD, -100, 5000), (NEW, 60, None))
    replica.wait(59.999)
    assert replica.kid_of_new_token() == OLD.signing.kid
    replica.wait(0.001)
    assert replica.kid_of_new_token() == NEW.signing.kid


def test_a_view_too_old_signs_nothing() -> None:
    """After one publish delay without a look, signing is refused with 503, until the next look."""
    replica = Replica()
    replica.load((OLD, -100, None))
    replica.wait(DELAY_S - 0.001)
    token = replica.ring.sign(make_claims())
    replica.wait(0.001)
    for ask in (lambda: replica.ring.sign(make_claims()), replica.ring.latest_expiry_s):
        with pytest.raises(UnavailableError) as caught:
            ask()
        assert caught.value.reason is Reason.SIGNING_UNAVAILABLE
    assert isinstance(replica.verdict(token), VerifiedToken)
    replica.load((OLD, -100, None))
    assert replica.kid_of_new_token() == OLD.signing.kid


def test_without_a_key_nothing_is_signed() -> None:
    """A ring with no key that is active answers 503, not 500."""
    replica = Replica()
    for keys in ([], [(NEW, 60, None)], [(OLD, -100, 0)]):
        replica.load(*keys)
        with pytest.raises(UnavailableError):
            replica.ring.sign(make_claims())


def test_a_pending_key_verifies_already_and_a_retired_one_no_more() -> None:
    """Another replica may sign a moment earlier; and what is retired counts for nothing."""
    replica, other = Replica(), Replica()
    other.load((NEW, -1, None))
    token = other.ring.sign(make_claims())
    replica.load((OLD, -100, None), (NEW, 1, None))
    assert isinstance(replica.verdict(token), VerifiedToken)
    replica.load((OLD, -100, None), (NEW, -1, 10))
    replica.wait(9.9)
    assert isinstance(replica.verdict(token), VerifiedToken)
    replica.wait(0.1)
    assert replica.verdict(token) is Reason.KEY_UNKNOWN


def test_the_retirement_is_told_by_this_machines_clock() -> None:
    """Tokens expire by the wall clock, keys retire by the database's: the ring converts."""
    replica = Replica()
    replica.load((OLD, -100, 1000))
    assert replica.ring.latest_expiry_s() == NOW_S + 1000 - SCHEDULE.leeway_s


def test_a_key_outlives_the_last_token_it_may_sign() -> None:
    """A token that lives as long as its key lets it is good to its own end, the leeway included."""
    replica = Replica()
    replica.load((OLD, -100, 600))
    expiry_s = int(replica.ring.latest_expiry_s())
    token = replica.ring.sign(make_claims(exp=expiry_s))
    replica.wait(expiry_s + POLICY.leeway_s - NOW_S - 0.001)
    assert isinstance(replica.verdict(token), VerifiedToken)


def test_looking_again_forgets_no_tokens() -> None:
    """Clocks that drift apart by milliseconds do not make the verifier start anew each time."""
    replica = Replica()
    replica.load((OLD, -100, 1000))
    token = replica.ring.sign(make_claims())
    replica.verdict(token)
    for _ in range(3):
        replica.wall.now -= 0.002
        replica.load((OLD, -100, 1000))
    assert replica.verifier._remembered  # noqa: SLF001  # nothing else tells a remembered token


def test_a_slow_look_does_not_undo_a_later_one() -> None:
    """A view that was asked for earlier and came later is dropped: it may lack a retirement."""
    replica = Replica()
    replica.load((OLD, -100, 5000), (NEW, -10, None))
    token_of_new = replica.ring.sign(make_claims())
    replica.wait(2)
    replica.load((OLD, -100, None), (NEW, -10, 0))
    replica.monotonic.now -= 1
    replica.load((OLD, -100, 5000), (NEW, -10, None))
    replica.monotonic.now += 1
    assert replica.verdict(token_of_new) is Reason.KEY_UNKNOWN
    assert replica.kid_of_new_token() == OLD.signing.kid


def test_the_jwk_set_shows_the_living_without_secrets() -> None:
    """Pending, active and retiring keys are published; a retired one and an HS256 key are not."""
    replica, secret, gone = Replica(), opened("HS256"), opened()
    replica.load((OLD, -9, 9), (NEW, 9, None), (secret, -9, None), (gone, -9, 0))
    published = json.loads(replica.ring.jwk_set.body)["keys"]
    assert {jwk["kid"] for jwk in published} == {OLD.signing.kid, NEW.signing.kid}
    assert all(jwk["use"] == "sig" and jwk["alg"] == "ES256" for jwk in published)


def test_the_validator_changes_with_the_set_only() -> None:
    """The same keys give the same ETag, whatever order they come in; another set another one."""
    replica = Replica()
    replica.load((OLD, -9, 9), (NEW, 9, None))
    first = replica.ring.jwk_set
    replica.load((NEW, 9, None), (OLD, -9, 9))
    assert replica.ring.jwk_set == first
    replica.load((NEW, 9, None))
    assert replica.ring.jwk_set.etag != first.etag


def test_an_old_view_may_not_be_kept_for_long() -> None:
    """Others publish the next key meanwhile: who reads the set here must ask again in time."""
    replica = Replica()
    replica.load((OLD, 0, None))
    fresh_s = 2 * SCHEDULE.reload_s
    for age_s, max_age_s in (
        (0, SCHEDULE.jwks_max_age_s),
        (fresh_s, SCHEDULE.jwks_max_age_s),
        (fresh_s + 100, SCHEDULE.jwks_max_age_s - 100),
        (fresh_s + SCHEDULE.jwks_max_age_s + 1, 0),
    ):
        replica.monotonic.now = 1000.0 + age_s
        assert replica.ring.jwk_set.max_age_s == max_age_s
