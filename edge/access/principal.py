"""The principal: who is asking, and what proved it."""

from typing import Literal
from uuid import UUID

import msgspec

Method = Literal["bearer", "basic"]


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking. `roles` are complete: what a role includes is in there too.

    `session_id` is None for Basic, which has no session.
    """

    user_id: UUID
    method: Method
    roles: frozenset[str]
    scopes: frozenset[str]
    session_id: UUID | None = None
