"""Making and changing accounts: everything is checked here, then stored."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from edge.accounts.passwords import Estimate, PasswordPolicy, normalise_password
from edge.accounts.ports import PasswordHasher, UsernameTaken, UserStore
from edge.accounts.user import (
    NewUser,
    User,
    is_role_name,
    normalise_full_name,
    normalise_username,
    username_key,
)
from edge.reasons import Reason


class Accounts:
    """The users of this Edge. Methods give the user, None for an unknown one, or why not.

    Every method raises `UnavailableError` when the store is away or hashing is overloaded.
    """

    def __init__(
        self,
        store: UserStore,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        *,
        estimate: Estimate,
        normalise_email: Callable[[str], str | None],
        new_id: Callable[[], UUID],
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._policy = policy
        self._estimate = estimate
        self._normalise_email = normalise_email
        self._new_id = new_id

    async def add(
        self,
        username: str,
        password: str,
        *,
        roles: Iterable[str] = (),
        email: str | None = None,
        full_name: str | None = None,
        is_demo: bool = False,
    ) -> User | Reason:
        name = normalise_username(username)
        if name is None:
            return Reason.USERNAME_INVALID
        address = self._normalise_email(email) if email is not None else None
        if email is not None and address is None:
            return Reason.EMAIL_INVALID
        known_as = normalise_full_name(full_name) if full_name is not None else None
        if full_name is not None and known_as is None:
            return Reason.FULL_NAME_INVALID
        chosen = _distinct(roles)
        if not all(map(is_role_name, chosen)):
            return Reason.ROLE_INVALID
        password = normalise_password(password)
        if problem := self._judge(password, name, address):
            return problem
        user = NewUser(
            id=self._new_id(),
            username=name,
            email=address,
            full_name=known_as,
            roles=chosen,
            is_demo=is_demo,
        )
        added = await self._store.add(user, await self._hasher.hash(password))
        return Reason.USERNAME_TAKEN if isinstance(added, UsernameTaken) else added

    async def find(self, user_id: UUID) -> User | None:
        return await self._store.find(user_id)

    async def find_by_name(self, username: str) -> User | None:
        name = normalise_username(username)
        found = await self._store.find_credentials(username_key(name)) if name else None
        return found.user if found else None

    async def page(self, *, after: str = "", limit: int = 100) -> Sequence[User]:
        """Give users in the order of their names, from the one behind the username `after`."""
        return await self._store.page(after=username_key(after), limit=limit)

    async def set_roles(self, user: User, roles: Iterable[str]) -> User | Reason | None:
        """Replace the roles; where one is taken away, the access tokens issued so far die."""
        chosen = _distinct(roles)
        if not all(map(is_role_name, chosen)):
            return Reason.ROLE_INVALID
        return await self._store.set_roles(user.id, chosen)

    async def set_password(self, user: User, password: str) -> User | Reason | None:
        """Replace the password; every session and access token issued so far dies."""
        password = normalise_password(password)
        if problem := self._judge(password, user.username, user.email):
            return problem
        return await self._store.set_password(user.id, await self._hasher.hash(password))

    async def disable(self, user: User) -> User | None:
        """Keep the user out; every session and access token issued so far dies."""
        return await self._store.set_disabled(user.id, disabled=True)

    async def enable(self, user: User) -> User | None:
        return await self._store.set_disabled(user.id, disabled=False)

    async def delete(self, user: User) -> bool:
        return await self._store.delete(user.id)

    async def has_demo_accounts(self) -> bool:
        return await self._store.count_demo() > 0

    def _judge(self, password: str, username: str, email: str | None) -> Reason | None:
        context = [username] if email is None else [username, email]
        return self._policy.judge(password, context, self._estimate)


def _distinct(roles: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(roles)))
