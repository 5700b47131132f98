"""What accounts need from the outside: places to keep users and clients, and a way to hash."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

import msgspec

from edge.accounts.client import Client, StoredClient
from edge.accounts.user import NewUser, StoredCredentials, User, UserChanges


class UsernameTaken(msgspec.Struct, frozen=True):
    """Another user has this name, in whatever case."""


class UserStore(Protocol):
    """Where users are kept. Every method raises `UnavailableError` when it is away.

    Methods that take tokens away (`change` that drops a role, sets a password or disables,
    `end_sessions`, `delete`) raise the user's epoch and record the revocation in the same
    transaction.
    """

    async def add(self, user: NewUser, password_hash: str) -> User | UsernameTaken: ...

    async def find(self, user_id: UUID) -> User | None: ...

    async def find_credentials(self, username_key: str) -> StoredCredentials | None: ...

    async def page(self, *, after: str, limit: int) -> Sequence[User]:
        """Give users in the order of their username keys, from the one behind `after`."""
        ...

    async def count_demo(self) -> int: ...

    async def change(self, user_id: UUID, changes: UserChanges) -> User | None:
        """Change several things at once; a new password and disabling end every session."""
        ...

    async def change_password(
        self, user_id: UUID, *, old_hash: str, new_hash: str, kept_session: UUID | None
    ) -> bool:
        """Replace the hash and end every session but one; False where `old_hash` is not current."""
        ...

    async def end_sessions(self, user_id: UUID) -> bool:
        """End every session; False for an unknown user."""
        ...

    async def replace_hash(self, user_id: UUID, *, old: str, new: str) -> bool:
        """Put a stronger hash of the same password in place of `old`; not if that has changed."""
        ...

    async def delete(self, user_id: UUID) -> bool: ...


class ClientIdTaken(msgspec.Struct, frozen=True):
    """Another client has this id."""


class ClientStore(Protocol):
    """Where OAuth clients are kept. Every method raises `UnavailableError` when it is away."""

    async def add(self, client: Client, secret_hash: bytes | None) -> Client | ClientIdTaken:
        """Store a client that is enabled and has epoch 0, whatever it says."""
        ...

    async def find(self, client_id: str) -> StoredClient | None: ...

    async def all(self) -> Sequence[Client]:
        """Give all clients in the order of their ids."""
        ...

    async def replace_secret(self, client_id: str, secret_hash: bytes) -> Client | None: ...

    async def set_disabled(self, client_id: str, *, disabled: bool) -> Client | None:
        """Disable or enable.

        Disabling raises the epoch, ends every session of the client and records both as
        revocations, in one transaction.
        """
        ...


class KnownNetworks(Protocol):
    """From where users have logged in lately. Methods raise `UnavailableError`."""

    async def knows(self, username_key: str, network: str) -> bool: ...

    async def remember(self, user_id: UUID, network: str) -> None: ...


class LoginAttempts(Protocol):
    """Limits how often passwords are tried."""

    async def begin(self, username: str, address: str) -> Any:  # noqa: ANN401  # given to `succeeded`
        """Charge an attempt before the password is looked at; gives what stands for it.

        Raises:
            TooManyAttemptsError: there were too many.
            UnavailableError: it cannot be known whether there were.
        """
        ...

    async def succeeded(self, attempt: Any, user_id: UUID) -> None:  # noqa: ANN401
        """Take note that the password was right: the attempt does not count."""
        ...

    async def withdrawn(self, attempt: Any) -> None:  # noqa: ANN401
        """Take note that the password was not looked at: the attempt does not count."""
        ...


class PasswordHasher(Protocol):
    """Hashes passwords slowly, somewhere else than on the event loop.

    Raises `UnavailableError` when too many wait for their turn.
    """

    async def hash(self, password: str) -> str: ...

    async def verify(self, password_hash: str, password: str) -> bool: ...

    def is_outdated(self, password_hash: str) -> bool:
        """Say whether the hash was made with other parameters than today's."""
        ...
