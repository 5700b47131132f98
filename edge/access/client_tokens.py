"""What clients may do with tokens they hold: end them (RFC 7009), ask about them (RFC 7662)."""

from collections.abc import Callable
from uuid import UUID

import msgspec

from edge.accounts.client import Client
from edge.reasons import Reason
from edge.tokens.claims import VerifiedToken
from edge.tokens.ports import TokenRevoker
from edge.tokens.session import Session
from edge.tokens.sessions import Sessions
from edge.tokens.token_check import TokenCheck


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was ended: whose it was, and the session that ended with it, if one did."""

    subject: str
    session_id: UUID | None = None


class TokenFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a good token; times in seconds since the epoch.

    `audience`, `token_id` and `token_type` are of access tokens only: a refresh token is for nobody
    but Edge, has no id, and is not presented to anybody else.
    """

    client_id: str
    subject: str
    scopes: frozenset[str]
    issued_at_s: int
    expires_at_s: int
    issuer: str
    audience: str | None = None
    token_id: str | None = None
    token_type: str | None = None


class ClientTokens:
    """Ends tokens of Edge's own and tells about them. `clock` gives seconds since the epoch.

    Every method raises `UnavailableError` when what is needed to decide is away.
    """

    def __init__(
        self,
        tokens: TokenCheck,
        sessions: Sessions,
        revoker: TokenRevoker,
        *,
        issuer: str,
        audience: str,
        clock: Callable[[], float],
    ) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._revoker = revoker
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    async def revoke(self, client: Client, token: str) -> Ended | Reason | None:
        """End a session by any refresh token of it, or one access token.

        None where there is nothing to end; a reason where the token is another client's.
        """
        session = await self._sessions.find(token)
        if session is not None:
            return await self._end_session(client, session)
        access = await self._own_access_token(token)
        if access is None or access.token_id is None:
            return None
        if access.client_id != client.id:
            return Reason.TOKEN_OF_ANOTHER_CLIENT
        await self._revoker.revoke(access.token_id)
        return Ended(subject=access.subject)

    async def introspect(self, client: Client, token: str) -> TokenFacts | None:
        """Tell about a good token that is the client's own, or any if the client may introspect."""
        facts = await self._facts(token)
        if facts is None or not (client.may_introspect or facts.client_id == client.id):
            return None
        return facts

    async def _end_session(self, client: Client, session: Session) -> Ended | Reason | None:
        if session.client_id != client.id:
            return Reason.TOKEN_OF_ANOTHER_CLIENT
        if not await self._sessions.end(session.id):
            return None
        return Ended(subject=str(session.holder.user_id), session_id=session.id)

    async def _facts(self, token: str) -> TokenFacts | None:
        session = await self._sessions.find_current(token)
        if session is not None:
            return self._facts_of_session(session)
        access = await self._own_access_token(token)
        return self._facts_of_access_token(access) if access else None

    async def _own_access_token(self, token: str) -> VerifiedToken | None:
        verified = await self._tokens.check(token.encode("utf-8"), self._clock())
        if isinstance(verified, Reason) or verified.issuer:
            return None
        return verified

    def _facts_of_session(self, session: Session) -> TokenFacts:
        expires_at_ms = min(session.idle_expires_at_ms, session.absolute_expires_at_ms)
        return TokenFacts(
            client_id=session.client_id,
            subject=str(session.holder.user_id),
            scopes=frozenset(session.scopes),
            issued_at_s=session.rotated_at_ms // 1000,
            expires_at_s=expires_at_ms // 1000,
            issuer=self._issuer,
        )

    def _facts_of_access_token(self, token: VerifiedToken) -> TokenFacts:
        return TokenFacts(
            client_id=token.client_id or "",
            subject=token.subject,
            scopes=token.scopes,
            issued_at_s=token.issued_at_s,
            expires_at_s=token.expires_at_s,
            issuer=self._issuer,
            audience=self._audience,
            token_id=token.token_id,
            token_type="Bearer",  # noqa: S106  # a type, not a token
        )
