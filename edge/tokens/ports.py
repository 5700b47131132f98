"""What tokens need from the outside. Every method raises `UnavailableError` when it is away."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

import msgspec

from edge.tokens.claims import AccessClaims, AssertionClaims, VerifiedToken
from edge.tokens.keys import Algorithm
from edge.tokens.revocations import Changes
from edge.tokens.session import LiveSession, Origin, Session, SessionLifetime
from edge.tokens.signing_key import JwkSet, OpenedKey, SealedKey, StoredKeys


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session to be stored; `epoch` is the user's when the credentials were checked."""

    id: UUID
    user_id: UUID
    epoch: int
    client_id: str
    scopes: tuple[str, ...]
    salt: bytes
    origin: Origin = Origin()


class SessionStore(Protocol):
    """Where sessions are kept; all times are of the store's clock."""

    async def start(self, session: NewSession, lifetime: SessionLifetime) -> bool:
        """Store a session at generation 1.

        False where the user is gone, is disabled, or has a higher epoch than when the credentials
        were checked; and where the client is disabled.
        """
        ...

    async def find(self, session_id: UUID) -> Session | None: ...

    async def advance(
        self, session_id: UUID, *, generation: int, lifetime: SessionLifetime, origin: Origin
    ) -> Session | None:
        """Move a live session from `generation` to the next one, a compare-and-set.

        None where another request was faster or the session has ended.
        """
        ...

    async def of_user(self, user_id: UUID) -> Sequence[LiveSession]:
        """Give the sessions of a user that can go on, the one used last first."""
        ...

    async def revoke(self, session_id: UUID, *, of: UUID | None = None) -> bool:
        """End a session and the access tokens that carry its id.

        False where it had ended, or where it is not `of` that user.
        """
        ...


class TokenRevoker(Protocol):
    """Ends single access tokens before they expire."""

    async def revoke(self, token_id: str) -> None: ...


class RevocationList(Protocol):
    """Which access tokens are dead before they expire."""

    def is_revoked(self, token: VerifiedToken) -> bool:
        """Look up, at once.

        Raises:
            UnavailableError: the list at hand is too old to say.
        """
        ...


class RevocationLog(Protocol):
    """The change list of revocations."""

    async def since(self, recorded_at_ms: int | None) -> Changes:
        """Give what was recorded from this time on; for None, all that still matters."""
        ...


class KeySource(Protocol):
    """Where the keys of one issuer come from."""

    async def look_again(self, kid: str) -> bool:
        """Look for a key that is not known; False where looking again would not help.

        Raises:
            UnavailableError: the keys at hand are too old to say that there is no such key.
        """
        ...


class AssertionSigner(Protocol):
    """Signs assertions with the active key; its methods raise as those of `AccessTokenSigner`."""

    def latest_expiry_s(self) -> float: ...

    def sign_assertion(self, claims: AssertionClaims) -> str: ...


class AccessTokenSigner(Protocol):
    """Signs with the active key."""

    def latest_expiry_s(self) -> float:
        """Give the latest `exp` of a token signed now, so that its key outlives it.

        Raises:
            UnavailableError: the keys at hand are too old to sign with.
        """
        ...

    def sign(self, claims: AccessClaims) -> str:
        """Sign claims.

        Raises:
            UnavailableError: the keys at hand are too old to sign with.
        """
        ...


@runtime_checkable  # Litestar checks what it injects
class PublicKeys(Protocol):
    """What others verify our access tokens with."""

    @property
    def jwk_set(self) -> JwkSet: ...


class SigningKeyStore(Protocol):
    """Where sealed signing keys are kept; all times are of the store's clock."""

    async def all(self) -> StoredKeys:
        """Give all keys there are, the earliest activated first."""
        ...

    async def add_first(self, key: SealedKey) -> bool:
        """Store a key that is active at once; False where there is one already."""
        ...

    async def add(
        self,
        key: SealedKey,
        *,
        delay_ms: int,
        retirement_ms: int,
        unless_newer_than_ms: int | None = None,
    ) -> bool:
        """Store a key that is active after `delay_ms`, and tell the other replicas.

        All keys without a successor retire `retirement_ms` after that. False where there is a key
        of this name, or one that was created less than `unless_newer_than_ms` ago.
        """
        ...

    async def retire(self, kid: str) -> None:
        """Let a key retire now, and tell the other replicas."""
        ...

    async def replace(self, old: SealedKey, new: SealedKey) -> None:
        """Store another sealed form of the same key, where it is still the old one."""
        ...


class KeyOpener(Protocol):
    """Makes, seals and opens signing keys. `ValueError` says that one cannot be opened."""

    def generate(self, algorithm: Algorithm) -> SealedKey: ...

    def seal(self, jwk: Mapping[str, Any], algorithm: Algorithm | None = None) -> SealedKey:
        """Seal a private key; raises `KeyRefusedError` where it is not fit for signing."""
        ...

    def open(self, sealed: SealedKey) -> OpenedKey: ...

    def reseal(self, sealed: SealedKey) -> SealedKey:
        """Seal a key under the current secret key."""
        ...
