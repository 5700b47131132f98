"""HTTP Basic: the password with every request, the hash only now and then.

Verified credentials are remembered under a digest bound to the stored hash and the user's epoch,
so whatever changes either of them makes the entry unfindable, on every replica. The account is
read each time; only the hashing is saved.
"""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Final

from edge.access.credentials import BasicCredentials
from edge.accounts.password_login import PasswordLogin
from edge.accounts.passwords import is_encodable
from edge.accounts.user import StoredCredentials, User
from edge.reasons import Reason

# About 150 bytes an entry: 1.5 MB when full.
_MOST_ENTRIES: Final = 10_000


class BasicLogin:
    """Checks Basic credentials. `digest_key` is for this purpose alone; `clock` is monotonic."""

    def __init__(
        self,
        login: PasswordLogin,
        *,
        digest_key: bytes,
        lifetime_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._login = login
        self._digest_key = digest_key
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._expiries: OrderedDict[bytes, float] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Task[bool]] = {}

    async def check(self, credentials: BasicCredentials, address: str) -> User | Reason:
        """Give the user, or why not.

        Raises:
            TooManyAttemptsError: there were too many, of that account or from that address.
            UnavailableError: the store is away or hashing is overloaded.
        """
        found = await self._login.find(credentials.username)
        matches = await self._verify(credentials, found, address)
        if not matches or found is None:
            return Reason.CREDENTIALS_INVALID
        return Reason.ACCOUNT_DISABLED if found.user.is_disabled else found.user

    async def _verify(
        self, credentials: BasicCredentials, found: StoredCredentials | None, address: str
    ) -> bool:
        username, password = credentials.username, credentials.password
        if not is_encodable(password):
            return await self._login.verify(username, found, password, address)
        digest = self._digest(username, found, password)
        if self._is_remembered(digest):
            return True
        return await self._verify_once(
            digest, lambda: self._login.verify(username, found, password, address)
        )

    async def _verify_once(
        self, digest: bytes, verify: Callable[[], Coroutine[None, None, bool]]
    ) -> bool:
        """Share one hash among the requests that bring the same credentials at the same time."""
        task = self._under_way.get(digest)
        if task is None:
            task = asyncio.create_task(verify())
            self._under_way[digest] = task
            task.add_done_callback(lambda done: self._finish(digest, done))
        return await asyncio.shield(task)  # one impatient client must not fail the others

    def _finish(self, digest: bytes, task: asyncio.Task[bool]) -> None:
        del self._under_way[digest]
        if not task.cancelled() and task.exception() is None and task.result():
            self._expiries[digest] = self._clock() + self._lifetime_s
            if len(self._expiries) > _MOST_ENTRIES:
                self._expiries.popitem(last=False)

    def _is_remembered(self, digest: bytes) -> bool:
        expiry = self._expiries.get(digest)
        if expiry is None:
            return False
        if self._clock() < expiry:
            return True
        del self._expiries[digest]
        return False

    def _digest(self, username: str, found: StoredCredentials | None, password: str) -> bytes:
        if found is None:
            # Unknown names share hashes as known ones do: a crowd must not tell them apart.
            bound = f"\0{len(username)}\0{username}\0{password}"
        else:
            # The hash has a fixed alphabet without NUL: the parts cannot run into each other.
            bound = f"{found.user.id}\0{found.user.epoch}\0{found.password_hash}\0{password}"
        return hmac.digest(self._digest_key, bound.encode("utf-8"), "sha256")
