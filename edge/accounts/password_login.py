"""Is this the password of this account? In the same time for names that do not exist."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edge.accounts.passwords import is_encodable, normalise_password
from edge.accounts.ports import LoginAttempts, PasswordHasher, UserStore
from edge.accounts.user import StoredCredentials, User, normalise_username, username_key
from edge.faults import UnavailableError
from edge.reasons import Reason


class PasswordLogin:
    """Checks a username and a password. Make one with `prepare`, which hashes the dummy."""

    def __init__(
        self,
        store: UserStore,
        hasher: PasswordHasher,
        *,
        max_length: int,
        attempts: LoginAttempts,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._attempts = attempts
        self._max_length = max_length
        self._dummy_hash: str | None = None

    async def prepare(self) -> None:
        """Hash what unknown users are compared with, so that they cost what known ones do.

        Raises:
            UnavailableError: hashing is overloaded.
        """
        self._dummy_hash = await self._hasher.hash("the password of nobody")

    async def check(self, username: str, password: str, address: str) -> User | Reason:
        """Give the user, or why not: `credentials_invalid` or `account_disabled`.

        The latter is told only to somebody who knows the password.

        Raises:
            TooManyAttemptsError: there were too many, of that account or from that address.
            UnavailableError: the store is away or hashing is overloaded.
        """
        attempt = await self._attempts.begin(username, address)
        async with self._counted(attempt):
            found = await self.find(username)
            matches = await self._matches(found, password)
        if not matches:
            return Reason.CREDENTIALS_INVALID
        assert found is not None  # noqa: S101  # nothing matches the dummy, see verify
        await self._attempts.succeeded(attempt, found.user.id)
        return Reason.ACCOUNT_DISABLED if found.user.is_disabled else found.user

    async def find(self, username: str) -> StoredCredentials | None:
        """Read the account of that name.

        Raises:
            UnavailableError: the store is away.
        """
        name = normalise_username(username)  # what may not be a name is not looked for
        return await self._store.find_credentials(username_key(name)) if name else None

    async def verify(
        self, username: str, found: StoredCredentials | None, password: str, address: str
    ) -> bool:
        """Compare the password of an account that was found by that name, or was not.

        Raises:
            TooManyAttemptsError, UnavailableError: as `check` does.
        """
        attempt = await self._attempts.begin(username, address)
        async with self._counted(attempt):
            matches = await self._matches(found, password)
        if matches and found is not None:
            await self._attempts.succeeded(attempt, found.user.id)
        return matches

    @asynccontextmanager
    async def _counted(self, attempt: object) -> AsyncIterator[None]:
        """Let an attempt count unless Edge itself could not look at the password."""
        try:
            yield
        except UnavailableError:
            await self._attempts.withdrawn(attempt)
            raise

    async def _matches(self, found: StoredCredentials | None, password: str) -> bool:
        """Compare the password, and bring its hash up to date; always one hash's worth of work."""
        candidate = normalise_password(password)
        if len(candidate) > self._max_length or not is_encodable(candidate):
            candidate = ""  # no password is empty: refused, in the same time
        known_hash = found.password_hash if found else self._dummy()
        matches = await self._hasher.verify(known_hash, candidate)
        if not matches or found is None:
            return False
        if self._hasher.is_outdated(known_hash):
            new = await self._hasher.hash(candidate)
            await self._store.replace_hash(found.user.id, old=known_hash, new=new)
        return True

    def _dummy(self) -> str:
        if self._dummy_hash is None:
            message = "PasswordLogin.prepare() has not run"
            raise RuntimeError(message)
        return self._dummy_hash
