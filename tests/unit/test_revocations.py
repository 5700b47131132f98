"""The snapshot of revocations: what it kills, and what it forgets."""

import itertools
from uuid import UUID

import msgspec
import pytest

from edge.tokens.revocations import Change, Kind, RevocationSnapshot
from tests.support.fakes import make_token

SUBJECT = str(UUID(int=1))
SESSION = str(UUID(int=2))
TOKEN_ID = str(UUID(int=3))


def change(
    kind: Kind, subject: str, *, issuer: str = "", epoch: int | None = None, expires_at_ms: int = 99
) -> Change:
    return Change(
        kind=kind, issuer=issuer, subject=subject, epoch=epoch, expires_at_ms=expires_at_ms
    )


@pytest.mark.parametrize(
    ("row", "is_dead"),
    [
        (change("session", SESSION), True),
        (change("token", TOKEN_ID), True),
        (change("user", SUBJECT, epoch=4), True),
        (change("user", SUBJECT, epoch=3), False),
        (change("user", SUBJECT, epoch=0), False),
        (change("session", TOKEN_ID), False),
        (change("token", SESSION), False),
        (change("session", str(UUID(int=9))), False),
        (change("user", str(UUID(int=9)), epoch=9), False),
        (change("session", SESSION, issuer="https://other.test"), False),
        (change("token", TOKEN_ID, issuer="https://other.test"), False),
        (change("user", SUBJECT, issuer="https://other.test", epoch=9), False),
    ],
)
def test_a_row_kills_the_tokens_it_speaks_of_and_no_others(row: Change, is_dead: bool) -> None:  # noqa: FBT001  # a column of the table
    """A session by `sid`, a token by `jti`, a user by a higher epoch; each of its own issuer."""
    snapshot = RevocationSnapshot()
    snapshot.apply([row])
    assert snapshot.is_revoked(make_token(epoch=3)) is is_dead


def test_rows_may_come_in_any_order_and_more_than_once() -> None:
    """Whatever the order, the highest epoch and the latest expiry win."""
    rows = [
        change("user", SUBJECT, epoch=2, expires_at_ms=30),
        change("user", SUBJECT, epoch=5, expires_at_ms=20),
        change("session", SESSION, expires_at_ms=10),
        change("session", SESSION, expires_at_ms=40),
    ]
    for order in itertools.permutations([*rows, rows[0]]):
        snapshot = RevocationSnapshot()
        for row in order:
            snapshot.apply([row])
        assert len(snapshot) == 2
        assert snapshot.is_revoked(make_token(epoch=4, sid="another", jti="another"))
        snapshot.prune(29)
        assert snapshot.is_revoked(make_token(epoch=4, sid="another", jti="another"))
        snapshot.prune(30)
        assert not snapshot.is_revoked(make_token(epoch=4, sid="another", jti="another"))
        snapshot.prune(39)
        assert snapshot.is_revoked(make_token(epoch=9))
        snapshot.prune(40)
        assert not snapshot.is_revoked(make_token(epoch=9))
        assert len(snapshot) == 0


def test_what_has_expired_is_forgotten_and_nothing_else() -> None:
    """Of 1,000 rows with expiries 1 to 1,000, pruning at 400 leaves 600."""
    snapshot = RevocationSnapshot()
    rows = [change("token", f"token-{n}", expires_at_ms=n) for n in range(1, 1001)]
    snapshot.apply(reversed(rows))
    snapshot.prune(400)
    assert len(snapshot) == 600
    assert not snapshot.is_revoked(make_token(jti="token-400"))
    assert snapshot.is_revoked(make_token(jti="token-401"))


def test_the_names_of_tokens_are_those_of_rows() -> None:
    """What a reader writes into a token is what the snapshot derives from a row."""
    token = make_token()
    assert msgspec.structs.asdict(token)["session_name"] == f"session  {SESSION}"
    for row in (change("session", SESSION), change("token", TOKEN_ID)):
        snapshot = RevocationSnapshot()
        snapshot.apply([row])
        assert snapshot.is_revoked(token)
