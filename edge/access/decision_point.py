"""The decision point: from the `Authorization` field to a decision. The hot path on one screen."""

from collections.abc import Callable, Sequence
from uuid import UUID

from edge.access.basic import BasicLogin
from edge.access.credentials import BasicCredentials, BearerToken, parse_authorization
from edge.access.decision import Allow, Decision, Malformed, Unauthenticated
from edge.access.principal import Method, Principal
from edge.access.rules import RoleHierarchy, ScopePolicy
from edge.reasons import Reason
from edge.tokens.ports import AccessTokenVerifier, RevocationList


class DecisionPoint:
    """Decides who is asking. `clock` gives seconds since the epoch."""

    def __init__(
        self,
        *,
        verifier: AccessTokenVerifier,
        revocations: RevocationList,
        basic: BasicLogin,
        roles: RoleHierarchy,
        scopes: ScopePolicy,
        clock: Callable[[], float],
    ) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._basic = basic
        self._roles = roles
        self._scopes = scopes
        self._clock = clock

    async def decide(self, authorization: Sequence[bytes], accepted: frozenset[Method]) -> Decision:
        """Decide about the values of all `Authorization` fields of a request.

        Credentials of a method that the route does not accept count as none.

        Raises:
            UnavailableError: what is needed to decide is away.
        """
        match parse_authorization(authorization):
            case BearerToken(token) if "bearer" in accepted:
                return await self._decide_bearer(token)
            case BasicCredentials() as credentials if "basic" in accepted:
                return await self._decide_basic(credentials)
            case Malformed(reason) as malformed if reason is not Reason.SCHEME_UNSUPPORTED:
                return malformed
            case _:
                return Unauthenticated(Reason.CREDENTIALS_MISSING)

    async def _decide_bearer(self, token: str) -> Decision:
        claims = self._verifier.verify(token, self._clock())
        if isinstance(claims, Reason):
            return Unauthenticated(claims)
        try:
            user_id, session_id = UUID(claims.sub), UUID(claims.sid)
        except ValueError:
            return Unauthenticated(Reason.TOKEN_MALFORMED)
        if await self._revocations.is_revoked(claims):
            return Unauthenticated(Reason.TOKEN_REVOKED)
        principal = Principal(
            user_id=user_id,
            method="bearer",
            roles=self._roles.effective(claims.roles),
            scopes=claims.scopes,
            session_id=session_id,
        )
        return Allow(principal)

    async def _decide_basic(self, credentials: BasicCredentials) -> Decision:
        user = await self._basic.check(credentials)
        if isinstance(user, Reason):
            return Unauthenticated(user)
        roles = self._roles.effective(user.roles)
        principal = Principal(
            user_id=user.id, method="basic", roles=roles, scopes=self._scopes.allowed(roles)
        )
        return Allow(principal)
