"""Starting sessions, rotating their refresh tokens, ending them."""

import secrets
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from edge.reasons import Reason
from edge.tokens.ports import NewSession, SessionStore
from edge.tokens.refresh_token import RefreshTokenCodec
from edge.tokens.session import (
    SALT_BYTES,
    LiveSession,
    Origin,
    Refuse,
    Replay,
    Reuse,
    Rotate,
    Session,
    SessionLifetime,
    judge,
)


class Started(msgspec.Struct, frozen=True):
    """A new session and its first refresh token."""

    session_id: UUID
    refresh_token: str


class Refreshed(msgspec.Struct, frozen=True):
    """A session that goes on, and its newest refresh token."""

    session: Session
    refresh_token: str


class RefreshRefused(msgspec.Struct, frozen=True):
    """Why a refresh token got nothing; `session` is known once the token was proven."""

    reason: Reason
    session: Session | None = None


class Sessions:
    """The sessions of this Edge. Every method raises `UnavailableError` when the store is away."""

    def __init__(
        self,
        store: SessionStore,
        codec: RefreshTokenCodec,
        lifetime: SessionLifetime,
        *,
        new_id: Callable[[], UUID],
    ) -> None:
        self._store = store
        self._codec = codec
        self._lifetime = lifetime
        self._new_id = new_id

    async def start(
        self,
        *,
        user_id: UUID,
        epoch: int,
        client_id: str,
        scopes: tuple[str, ...],
        origin: Origin,
    ) -> Started | None:
        """Start a session; None where user or client changed since they were checked."""
        session = NewSession(
            id=self._new_id(),
            user_id=user_id,
            epoch=epoch,
            client_id=client_id,
            scopes=scopes,
            salt=secrets.token_bytes(SALT_BYTES),
            origin=origin,
        )
        if not await self._store.start(session, self._lifetime):
            return None
        return Started(session.id, self._codec.make(session.id, 1, session.salt))

    async def refresh(
        self, refresh_token: str, client_id: str, asked: frozenset[str] | None, origin: Origin
    ) -> Refreshed | RefreshRefused:
        """Exchange a refresh token for its successor; `asked` are scopes to narrow down to.

        Whoever loses the compare-and-set reads again and finds itself a predecessor within the
        overlap, or the session ended; every round, some other request has moved it on.
        """
        while True:
            proven = await self._prove(refresh_token)
            # Before reuse is looked for: another client's token must not end the session.
            if proven is None or proven[0].client_id != client_id:
                return RefreshRefused(Reason.REFRESH_TOKEN_INVALID)
            session, generation = proven
            outcome = await self._act(session, generation, asked, origin)
            if outcome is not None:
                return outcome

    async def find(self, refresh_token: str) -> Session | None:
        """Give the session of a genuine refresh token, of whatever generation and state."""
        proven = await self._prove(refresh_token)
        return proven[0] if proven else None

    async def find_current(self, refresh_token: str) -> Session | None:
        """Give the session of a refresh token that moves it on: it is live, the token its newest.

        A predecessor within the overlap is no longer good by itself: it only finds its successor.
        """
        proven = await self._prove(refresh_token)
        if proven is None:
            return None
        session, generation = proven
        judgement = judge(session, generation, self._lifetime.overlap_ms)
        return session if isinstance(judgement, Rotate) else None

    async def of_user(self, user_id: UUID) -> Sequence[LiveSession]:
        """Give the sessions of a user that can go on, the one used last first."""
        return await self._store.of_user(user_id)

    async def end(self, session_id: UUID, *, of: UUID | None = None) -> bool:
        """End a session and its access tokens; False where it had ended, or is not `of` them."""
        return await self._store.revoke(session_id, of=of)

    async def _prove(self, refresh_token: str) -> tuple[Session, int] | None:
        """Give session and generation of a genuine refresh token."""
        token = self._codec.parse(refresh_token)
        session = await self._store.find(token.session_id) if token else None
        if token is None or session is None or not self._codec.proves(token, session.salt):
            return None
        return session, token.generation

    async def _act(
        self, session: Session, generation: int, asked: frozenset[str] | None, origin: Origin
    ) -> Refreshed | RefreshRefused | None:
        """Do what the judgement says; None where another request changed the session first."""
        match judge(session, generation, self._lifetime.overlap_ms):
            case Refuse(reason):
                return RefreshRefused(reason, session)
            case Reuse():
                await self._store.revoke(session.id)
                return RefreshRefused(Reason.REFRESH_TOKEN_REUSED, session)
            case _ if asked is not None and not asked <= frozenset(session.scopes):
                # Before the session moves: a mistaken request must not use the token up.
                return RefreshRefused(Reason.SCOPE_INVALID, session)
            case Replay():
                return self._refreshed(session)
            case Rotate():
                moved = await self._store.advance(
                    session.id, generation=generation, lifetime=self._lifetime, origin=origin
                )
                return self._refreshed(moved) if moved else None

    def _refreshed(self, session: Session) -> Refreshed:
        newest = self._codec.make(session.id, session.generation, session.salt)
        return Refreshed(session, newest)
