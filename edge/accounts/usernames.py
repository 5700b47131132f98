"""The names of users by their ids. They never change, so what was seen once stays true."""

from collections import OrderedDict
from typing import Final
from uuid import UUID

from edge.accounts.ports import UserStore
from edge.faults import UnavailableError

# About 250 bytes an entry: 2.5 MB when full.
_MOST_REMEMBERED: Final = 10_000


class Usernames:
    """Looks names up, and remembers them."""

    def __init__(self, store: UserStore) -> None:
        self._store = store
        self._known: OrderedDict[UUID, str] = OrderedDict()

    def recall(self, user_id: UUID) -> str | None:
        """Give a name that was looked up before."""
        return self._known.get(user_id)

    async def look_up(self, user_id: UUID) -> str:
        """Give a name; empty where there is no such user, or the store is away."""
        try:
            user = await self._store.find(user_id)
        except UnavailableError:
            return ""
        if user is None:
            return ""
        self._known[user_id] = user.username
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return user.username
