"""A session: one login, one family of refresh tokens, one row. What to do with a token of it.

Generations are counted, never timed: the newest token moves the session on; its immediate
predecessor, for a short overlap, gets the same successor again (a lost answer or a second browser
tab does no harm); any older token is in the hands of two parties, and the session must end.
"""

from typing import Final
from uuid import UUID

import msgspec

from edge.reasons import Reason

SALT_BYTES: Final = 16


class Holder(msgspec.Struct, frozen=True):
    """The user behind a session, as of the moment the session was read."""

    user_id: UUID
    username: str
    roles: tuple[str, ...]
    epoch: int
    is_disabled: bool


class Origin(msgspec.Struct, frozen=True):
    """Where a session is used from, as its user is shown it."""

    address: str = ""
    user_agent: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `sessions` with its holder; `now_ms` is the database's clock when it was read."""

    id: UUID
    holder: Holder
    client_id: str
    scopes: tuple[str, ...]
    generation: int
    salt: bytes
    rotated_at_ms: int
    idle_expires_at_ms: int
    absolute_expires_at_ms: int
    revoked_at_ms: int | None
    now_ms: int


class LiveSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its user sees it; `origin` is of the login or, later, of the last refresh."""

    id: UUID
    client_id: str
    created_at_ms: int
    used_at_ms: int
    origin: Origin


class SessionLifetime(msgspec.Struct, frozen=True):
    """How long sessions last; `overlap_ms` is how long a predecessor still gets its successor."""

    idle_ms: int
    absolute_ms: int
    overlap_ms: int


class Rotate(msgspec.Struct, frozen=True):
    """The newest token: move the session to the next generation."""


class Replay(msgspec.Struct, frozen=True):
    """The predecessor within the overlap: give the newest token again."""


class Reuse(msgspec.Struct, frozen=True):
    """An old token: two parties have it. End the session."""


class Refuse(msgspec.Struct, frozen=True):
    """Nothing changes."""

    reason: Reason


def judge(session: Session, generation: int, overlap_ms: int) -> Rotate | Replay | Reuse | Refuse:
    """Say what to do with a proven token of this generation."""
    if session.revoked_at_ms is not None:
        return Refuse(Reason.SESSION_REVOKED)
    if session.now_ms >= min(session.idle_expires_at_ms, session.absolute_expires_at_ms):
        return Refuse(Reason.REFRESH_TOKEN_EXPIRED)
    if generation > session.generation:
        # Proven, yet never handed out by this row: the database was set back, or a key has leaked.
        return Refuse(Reason.REFRESH_TOKEN_FROM_THE_FUTURE)
    if generation == session.generation:
        return Rotate()
    is_predecessor = generation == session.generation - 1
    if is_predecessor and session.now_ms - session.rotated_at_ms <= overlap_ms:
        return Replay()
    return Reuse()
