"""Assertions: short tokens by which a service behind a load balancer can check who is asking."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.claims import AssertionClaims
from edge.tokens.ports import AssertionSigner

LIFETIME_S: Final = 60
# A remembered one is good for half a minute at least when it is handed out.
_REMEMBERED_S: Final = 30
_MOST_REMEMBERED: Final = 10_000


class AssertionIssuer:
    """Makes assertions, one for each principal and audience twice a minute.

    `clock` gives seconds since the epoch.
    """

    def __init__(self, signer: AssertionSigner, *, issuer: str, clock: Callable[[], float]) -> None:
        self._signer = signer
        self._issuer = issuer
        self._clock = clock
        self._made: OrderedDict[tuple[object, ...], tuple[int, str]] = OrderedDict()

    def issue(
        self,
        subject: str,
        audience: str,
        *,
        method: str,
        roles: Iterable[str],
        scopes: Iterable[str],
    ) -> str:
        """Give an assertion about a principal for an audience.

        Raises:
            UnavailableError: the keys at hand are too old to sign with.
        """
        now = int(self._clock())
        said = (subject, audience, method, frozenset(roles), frozenset(scopes))
        made_at, made = self._made.get(said, (-_REMEMBERED_S, ""))
        if 0 <= now - made_at < _REMEMBERED_S:
            return made
        expires_at = int(min(now + LIFETIME_S, self._signer.latest_expiry_s()))
        if expires_at <= now:
            raise UnavailableError(Reason.SIGNING_UNAVAILABLE)
        token = self._signer.sign_assertion(
            AssertionClaims(
                iss=self._issuer,
                sub=subject,
                aud=audience,
                iat=now,
                exp=expires_at,
                method=method,
                roles=tuple(sorted(roles)),
                scope=" ".join(sorted(scopes)),
            )
        )
        self._made[said] = (now, token)
        self._made.move_to_end(said)
        if len(self._made) > _MOST_REMEMBERED:
            self._made.popitem(last=False)
        return token
