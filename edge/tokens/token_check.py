"""The whole check of an access token: verified, by keys looked for again if need be; alive."""

from collections.abc import Callable, Mapping

from edge.reasons import Reason
from edge.tokens.claims import VerifiedToken
from edge.tokens.ports import KeySource, RevocationList
from edge.tokens.verifier import Verifier


class TokenCheck:
    """Says whether an access token is good. `key_sources` are by issuer.

    `checked` is told of each.
    """

    def __init__(
        self,
        verifier: Verifier,
        revocations: RevocationList,
        key_sources: Mapping[str, KeySource],
        *,
        checked: Callable[[], None] = lambda: None,
    ) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._key_sources = key_sources
        self._checked = checked

    def recall(self, token: bytes, now_s: float) -> VerifiedToken | None:
        """Give a token that was checked before and is still good; None where `check` must look.

        Raises:
            UnavailableError: whether it is good cannot be known now.
        """
        remembered = self._verifier.recall(token, now_s)
        if remembered is None or self._revocations.is_revoked(remembered):
            return None
        self._checked()
        return remembered

    async def check(self, token: bytes, now_s: float) -> VerifiedToken | Reason:
        """Give the token, or why it is refused at `now_s`, in seconds since the epoch.

        Raises:
            UnavailableError: whether it is good cannot be known now.
        """
        self._checked()
        verified = self._verifier.verify(token, now_s)
        if verified is Reason.KEY_UNKNOWN:
            verified = await self._look_again(token, now_s)
        if isinstance(verified, Reason):
            return verified
        if self._revocations.is_revoked(verified):
            return Reason.TOKEN_REVOKED
        return verified

    async def _look_again(self, token: bytes, now_s: float) -> VerifiedToken | Reason:
        """Verify once more, if the key can be found; for strangers it is not looked for."""
        claimed = self._verifier.claimed(token)
        if isinstance(claimed, Reason):
            return claimed
        issuer, kid = claimed
        source = self._key_sources.get(issuer)
        if source is None or not await source.look_again(kid):
            return Reason.KEY_UNKNOWN
        return self._verifier.verify(token, now_s)
