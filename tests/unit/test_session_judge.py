"""What becomes of a session, by the generation of the token and the database's clock."""

from uuid import UUID

import msgspec
import pytest

from edge.reasons import Reason
from edge.tokens.session import Holder, Refuse, Replay, Reuse, Rotate, Session, judge

OVERLAP_MS = 10_000

# Generation 5 since 1,000,000 ms; unused it ends at 1,600,000, in any case at 2,000,000.
SESSION = Session(
    id=UUID(int=2),
    holder=Holder(UUID(int=1), "alice", (), 0, is_disabled=False),
    client_id="first-party",
    scopes=(),
    generation=5,
    salt=b"s" * 16,
    rotated_at_ms=1_000_000,
    idle_expires_at_ms=1_600_000,
    absolute_expires_at_ms=2_000_000,
    revoked_at_ms=None,
    now_ms=1_000_000,
)

ROTATE, REPLAY, REUSE = Rotate(), Replay(), Reuse()
EXPIRED = Refuse(Reason.REFRESH_TOKEN_EXPIRED)
REVOKED = Refuse(Reason.SESSION_REVOKED)
FUTURE = Refuse(Reason.REFRESH_TOKEN_FROM_THE_FUTURE)


@pytest.mark.parametrize(
    ("generation", "now_ms", "changes", "judgement"),
    [
        # The newest token, at any time of its life.
        (5, 1_000_000, {}, ROTATE),
        (5, 1_000_001, {}, ROTATE),
        (5, 1_010_001, {}, ROTATE),
        (5, 1_599_999, {}, ROTATE),
        (5, 1_600_000, {}, EXPIRED),
        (5, 1_600_001, {}, EXPIRED),
        # The absolute end counts where it comes first, and alone.
        (5, 1_599_999, {"absolute_expires_at_ms": 1_500_000}, EXPIRED),
        (5, 1_499_999, {"absolute_expires_at_ms": 1_500_000}, ROTATE),
        (5, 1_500_000, {"absolute_expires_at_ms": 1_500_000}, EXPIRED),
        (5, 1_999_999, {"idle_expires_at_ms": 3_000_000}, ROTATE),
        (5, 2_000_000, {"idle_expires_at_ms": 3_000_000}, EXPIRED),
        # The predecessor.
        (4, 1_000_000, {}, REPLAY),
        (4, 1_009_999, {}, REPLAY),
        (4, 1_010_000, {}, REPLAY),
        (4, 1_010_001, {}, REUSE),
        (4, 1_599_999, {}, REUSE),
        (4, 1_600_000, {}, EXPIRED),
        (4, 1_005_000, {"idle_expires_at_ms": 1_005_000}, EXPIRED),
        # Anything older.
        (3, 1_000_000, {}, REUSE),
        (3, 1_000_001, {}, REUSE),
        (1, 1_000_000, {}, REUSE),
        (0, 1_000_000, {}, REUSE),
        (3, 1_600_000, {}, EXPIRED),
        # Never handed out.
        (6, 1_000_000, {}, FUTURE),
        (2**32 - 1, 1_000_000, {}, FUTURE),
        (6, 1_600_000, {}, EXPIRED),
        # Ended, whatever comes.
        (5, 1_000_001, {"revoked_at_ms": 1_000_000}, REVOKED),
        (4, 1_000_001, {"revoked_at_ms": 1_000_000}, REVOKED),
        (3, 1_000_001, {"revoked_at_ms": 1_000_000}, REVOKED),
        (6, 1_000_001, {"revoked_at_ms": 1_000_000}, REVOKED),
        (5, 3_000_000, {"revoked_at_ms": 1_000_000}, REVOKED),
        (5, 1_000_000, {"revoked_at_ms": 0}, REVOKED),
        (5, 1_000_000, {"revoked_at_ms": 1_500_000}, REVOKED),
        # The database's clock was set back: nobody is locked out for it.
        (5, 900_000, {}, ROTATE),
        (4, 900_000, {}, REPLAY),
        # A session that has just begun.
        (1, 1_000_000, {"generation": 1}, ROTATE),
        (2, 1_000_000, {"generation": 1}, FUTURE),
    ],
)
def test_the_judgement_follows_generation_and_clock(
    generation: int,
    now_ms: int,
    changes: dict[str, int],
    judgement: Rotate | Replay | Reuse | Refuse,
) -> None:
    """The newest moves on, its predecessor is answered again for ten seconds, older ones end it."""
    session = msgspec.structs.replace(SESSION, now_ms=now_ms, **changes)
    assert judge(session, generation, OVERLAP_MS) == judgement


@pytest.mark.parametrize(("later_ms", "judgement"), [(0, REPLAY), (1, REUSE)])
def test_without_an_overlap_only_the_same_millisecond_is_forgiven(
    later_ms: int, judgement: Replay | Reuse
) -> None:
    """With an overlap of zero, two requests of one instant agree, and the next one is reuse."""
    session = msgspec.structs.replace(SESSION, now_ms=SESSION.rotated_at_ms + later_ms)
    assert judge(session, 4, 0) == judgement
