"""Making and changing accounts: everything is checked here, then stored."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID

from msgspec import UNSET, UnsetType

from edge.accounts.passwords import Estimate, PasswordPolicy, normalise_password
from edge.accounts.ports import PasswordHasher, UsernameTaken, UserStore
from edge.accounts.user import (
    NewUser,
    StoredCredentials,
    User,
    UserChanges,
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
        verify: Callable[[str, StoredCredentials, str, str], Awaitable[bool]],
        normalise_email: Callable[[str], str | None],
        new_id: Callable[[], UUID],
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._policy = policy
        self._estimate = estimate
        self._verify = verify
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
        checked = self._check(email=email, full_name=full_name, roles=roles)
        if isinstance(checked, Reason):
            return checked
        address, known_as, chosen = checked
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

    async def change(
        self,
        user: User,
        *,
        email: str | UnsetType | None = UNSET,
        full_name: str | UnsetType | None = UNSET,
        roles: Iterable[str] | UnsetType = UNSET,
        password: str | UnsetType = UNSET,
        is_disabled: bool | UnsetType = UNSET,
    ) -> User | Reason | None:
        """Change what is given, all of it or nothing.

        A new password, and disabling, ends every session; so many access tokens die as taking away
        a role has to kill: those issued so far.
        """
        checked = self._check(
            email=user.email if email is UNSET else email,
            full_name=user.full_name if full_name is UNSET else full_name,
            roles=user.roles if roles is UNSET else roles,
        )
        if isinstance(checked, Reason):
            return checked
        address, known_as, chosen = checked
        new_hash: str | UnsetType = UNSET
        if password is not UNSET:
            password = normalise_password(password)
            if problem := self._judge(password, user.username, address):
                return problem
            new_hash = await self._hasher.hash(password)
        changes = UserChanges(
            email=UNSET if email is UNSET else address,
            full_name=UNSET if full_name is UNSET else known_as,
            roles=UNSET if roles is UNSET else chosen,
            password_hash=new_hash,
            is_disabled=is_disabled,
        )
        return await self._store.change(user.id, changes)

    async def set_roles(self, user: User, roles: Iterable[str]) -> User | Reason | None:
        """Replace the roles; where one is taken away, the access tokens issued so far die."""
        return await self.change(user, roles=roles)

    async def set_password(self, user: User, password: str) -> User | Reason | None:
        """Replace the password; every session and access token issued so far dies."""
        return await self.change(user, password=password)

    async def change_password(
        self, user: User, *, old: str, new: str, kept_session: UUID | None, address: str
    ) -> Reason | None:
        """Replace the password for somebody who knows it; every session ends but one.

        `password_wrong` where `old` is not the password, or no longer when the new one is stored.
        """
        new = normalise_password(new)
        if problem := self._judge(new, user.username, user.email):
            return problem
        found = await self._store.find_credentials(username_key(user.username))
        if found is None or not await self._verify(user.username, found, old, address):
            return Reason.PASSWORD_WRONG
        is_changed = await self._store.change_password(
            user.id,
            old_hash=found.password_hash,
            new_hash=await self._hasher.hash(new),
            kept_session=kept_session,
        )
        return None if is_changed else Reason.PASSWORD_WRONG

    async def end_sessions(self, user_id: UUID) -> bool:
        """End every session and access token of a user; False for an unknown one."""
        return await self._store.end_sessions(user_id)

    async def disable(self, user: User) -> User | None:
        """Keep the user out; every session and access token issued so far dies."""
        return await self._store.change(user.id, UserChanges(is_disabled=True))

    async def enable(self, user: User) -> User | None:
        return await self._store.change(user.id, UserChanges(is_disabled=False))

    async def delete(self, user: User) -> bool:
        return await self._store.delete(user.id)

    async def has_demo_accounts(self) -> bool:
        return await self._store.count_demo() > 0

    def _check(
        self, *, email: str | None, full_name: str | None, roles: Iterable[str]
    ) -> tuple[str | None, str | None, tuple[str, ...]] | Reason:
        """Give email, full name and roles in their normal forms, or what is wrong with them."""
        address = self._normalise_email(email) if email is not None else None
        if email is not None and address is None:
            return Reason.EMAIL_INVALID
        known_as = normalise_full_name(full_name) if full_name is not None else None
        if full_name is not None and known_as is None:
            return Reason.FULL_NAME_INVALID
        chosen = tuple(sorted(set(roles)))
        if not all(map(is_role_name, chosen)):
            return Reason.ROLE_INVALID
        return address, known_as, chosen

    def _judge(self, password: str, username: str, email: str | None) -> Reason | None:
        context = [username] if email is None else [username, email]
        return self._policy.judge(password, context, self._estimate)
