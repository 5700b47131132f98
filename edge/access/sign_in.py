"""Signing in, refreshing, signing out: what `/token`, `/login` and their like all do."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from edge.access.decision import Malformed, Unauthenticated
from edge.access.rules import RoleHierarchy, ScopePolicy, parse_scope
from edge.accounts.client import Client
from edge.accounts.password_login import PasswordLogin
from edge.reasons import Reason
from edge.tokens.access_tokens import AccessTokenIssuer, Grant
from edge.tokens.session import Holder, Origin, Session
from edge.tokens.sessions import RefreshRefused, Sessions


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """An access token and what it is good for."""

    access_token: str
    scopes: tuple[str, ...]
    expires_in_s: int

    def __repr__(self) -> str:
        return "Granted(********)"


class SignedIn(Granted, frozen=True, kw_only=True):
    """The tokens of a session, and who they are for.

    There is no refresh token for a client that may not use one.
    """

    user_id: UUID
    session_id: UUID
    refresh_token: str | None

    def __repr__(self) -> str:
        return f"SignedIn(user_id={self.user_id}, session_id={self.session_id})"


class SignInRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Why there are no tokens; who it was about is for events only."""

    decision: Malformed | Unauthenticated
    user_id: UUID | None = None
    session_id: UUID | None = None


class SignIn:
    """Gives out tokens. Every method raises `UnavailableError` when it cannot decide.

    `with_password` raises `TooManyAttemptsError` besides.
    """

    def __init__(
        self,
        login: PasswordLogin,
        sessions: Sessions,
        issuer: AccessTokenIssuer,
        *,
        roles: RoleHierarchy,
        scopes: ScopePolicy,
    ) -> None:
        self._login = login
        self._sessions = sessions
        self._issuer = issuer
        self._roles = roles
        self._scopes = scopes

    async def with_password(
        self, client: Client, username: str, password: str, scope: str | None, origin: Origin
    ) -> SignedIn | SignInRefused:
        """Start a session for whoever knows the password; `scope` as in RFC 6749 section 3.3."""
        user = await self._login.check(username, password, origin.address)
        if isinstance(user, Reason):
            return SignInRefused(decision=Unauthenticated(user))
        scopes = self._scopes.grant(scope, self._allowed(client, user.roles))
        if scopes is None:
            return SignInRefused(decision=Malformed(Reason.SCOPE_INVALID), user_id=user.id)
        self._issuer.ensure_able()  # a session that nobody has tokens of would stay
        started = await self._sessions.start(
            user_id=user.id,
            epoch=user.epoch,
            client_id=client.id,
            scopes=tuple(sorted(scopes)),
            origin=origin,
        )
        if started is None:
            # The account or the client changed while the old password was being hashed.
            reason = Unauthenticated(Reason.CREDENTIALS_INVALID)
            return SignInRefused(decision=reason, user_id=user.id)
        holder = Holder(user.id, user.username, user.roles, user.epoch, user.is_disabled)
        return self._signed_in(client, holder, started.session_id, started.refresh_token, scopes)

    async def with_refresh_token(
        self, client: Client, refresh_token: str, scope: str | None, origin: Origin
    ) -> SignedIn | SignInRefused:
        """Go on with a session. `scope` may narrow the access token; the session keeps its own."""
        asked = None if scope is None else parse_scope(scope)
        if scope is not None and asked is None:
            return SignInRefused(decision=Malformed(Reason.SCOPE_INVALID))
        self._issuer.ensure_able()  # else the refresh token would be used up for nothing
        refreshed = await self._sessions.refresh(refresh_token, client.id, asked, origin)
        if isinstance(refreshed, RefreshRefused):
            return _refused(refreshed.reason, refreshed.session)
        session = refreshed.session
        if session.holder.is_disabled:
            return _refused(Reason.ACCOUNT_DISABLED, session)
        allowed = self._allowed(client, session.holder.roles)
        scopes = frozenset(session.scopes if asked is None else asked) & allowed
        return self._signed_in(client, session.holder, session.id, refreshed.refresh_token, scopes)

    async def out(self, session_id: UUID) -> bool:
        """End a session and its access tokens; False where it had ended already."""
        return await self._sessions.end(session_id)

    def _allowed(self, client: Client, roles: Iterable[str]) -> frozenset[str]:
        return self._scopes.allowed(self._roles.effective(roles)) & client.scopes

    def _signed_in(
        self,
        client: Client,
        holder: Holder,
        session_id: UUID,
        refresh_token: str,
        scopes: Iterable[str],
    ) -> SignedIn:
        granted = tuple(sorted(scopes))
        grant = Grant(
            subject=str(holder.user_id),
            session_id=session_id,
            client_id=client.id,
            roles=holder.roles,
            scopes=granted,
            epoch=holder.epoch,
        )
        issued = self._issuer.issue(grant)
        return SignedIn(
            user_id=holder.user_id,
            session_id=session_id,
            access_token=issued.token,
            refresh_token=refresh_token if "refresh_token" in client.grants else None,
            scopes=granted,
            expires_in_s=issued.expires_in_s,
        )


def _refused(reason: Reason, session: Session | None) -> SignInRefused:
    is_about_scope = reason is Reason.SCOPE_INVALID
    decision = Malformed(reason) if is_about_scope else Unauthenticated(reason)
    if session is None:
        return SignInRefused(decision=decision)
    return SignInRefused(decision=decision, user_id=session.holder.user_id, session_id=session.id)
