"""The decision point: from the `Authorization` field to a decision. The hot path on one screen."""

from collections.abc import Callable, Sequence
from typing import Final

from edge.access.basic import BasicLogin
from edge.access.credentials import BasicCredentials, BearerToken, parse_authorization
from edge.access.decision import Allow, Decision, Malformed, Unauthenticated
from edge.access.principal import Method, Principal
from edge.access.rules import RoleHierarchy, ScopePolicy
from edge.memo import Memo
from edge.reasons import Reason
from edge.tokens.claims import VerifiedToken
from edge.tokens.token_check import TokenCheck

# As many tokens as are remembered by default; about 500 bytes each.
_MOST_DECIDED: Final = 10_000

_BEARER: Final = b"Bearer "


class DecisionPoint:
    """Decides who is asking. `clock` gives seconds since the epoch."""

    def __init__(
        self,
        *,
        tokens: TokenCheck,
        basic: BasicLogin,
        roles: RoleHierarchy,
        scopes: ScopePolicy,
        clock: Callable[[], float],
    ) -> None:
        self._tokens = tokens
        self._basic = basic
        self._roles = roles
        self._scopes = scopes
        self._clock = clock
        self._decided: Memo[VerifiedToken, Decision] = Memo(_MOST_DECIDED)

    def recall(
        self, authorization: Sequence[bytes], accepted: frozenset[Method]
    ) -> Decision | None:
        """Decide at once about a bearer token that was seen before; None where `decide` must look.

        Raises:
            UnavailableError: what is needed to decide is away.
        """
        if len(authorization) != 1 or "bearer" not in accepted:
            return None
        value = authorization[0]
        # No token with a blank in it was ever verified, so there is no other way to read this.
        if value[: len(_BEARER)] != _BEARER:
            return None
        verified = self._tokens.recall(value[len(_BEARER) :], self._clock())
        return None if verified is None else self._decide_verified(verified)

    async def decide(
        self, authorization: Sequence[bytes], accepted: frozenset[Method], address: str
    ) -> Decision:
        """Decide about the values of all `Authorization` fields of a request.

        Credentials of a method that the route does not accept count as none.

        `address` is the client's, by which attempts at passwords are counted.

        Raises:
            TooManyAttemptsError: a password was tried too often.
            UnavailableError: what is needed to decide is away.
        """
        match parse_authorization(authorization):
            case BearerToken(token) if "bearer" in accepted:
                return await self._decide_bearer(token)
            case BasicCredentials() as credentials if "basic" in accepted:
                return await self._decide_basic(credentials, address)
            case Malformed(reason) as malformed if reason is not Reason.SCHEME_UNSUPPORTED:
                return malformed
            case _:
                return Unauthenticated(Reason.CREDENTIALS_MISSING)

    async def _decide_bearer(self, token: bytes) -> Decision:
        verified = await self._tokens.check(token, self._clock())
        if isinstance(verified, Reason):
            return Unauthenticated(verified)
        return self._decide_verified(verified)

    def _decide_verified(self, verified: VerifiedToken) -> Decision:
        # A token that was seen before is the same object, and says the same.
        decided = self._decided.get(verified)
        if decided is None:
            decided = self._decide_anew(verified)
            self._decided.put(verified, decided)
        return decided

    def _decide_anew(self, verified: VerifiedToken) -> Decision:
        try:
            user_id, session_id = verified.user_id, verified.session_id
        except ValueError:  # signed by our key, yet not by Edge: they are no UUIDs
            return Unauthenticated(Reason.TOKEN_MALFORMED)
        principal = Principal(
            subject=verified.subject,
            method="bearer",
            roles=self._roles.effective(verified.roles),
            scopes=verified.scopes,
            user_id=user_id,
            session_id=session_id,
            client_id=verified.client_id,
        )
        return Allow(principal)

    async def _decide_basic(self, credentials: BasicCredentials, address: str) -> Decision:
        user = await self._basic.check(credentials, address)
        if isinstance(user, Reason):
            return Unauthenticated(user)
        roles = self._roles.effective(user.roles)
        principal = Principal(
            subject=str(user.id),
            method="basic",
            roles=roles,
            scopes=self._scopes.allowed(roles),
            user_id=user.id,
        )
        return Allow(principal)
