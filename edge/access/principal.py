"""The principal: who is asking, and what proved it."""

from typing import Literal
from uuid import UUID

import msgspec

Method = Literal["bearer", "basic"]


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking. `roles` are complete: what a role includes is in there too.

    `subject` is unique: a user's id, `client:` and an id for a service account, or a subject of a
    trusted issuer behind its prefix. Only a user of this Edge has a `user_id`, only one with a
    bearer token a `session_id`.
    """

    subject: str
    method: Method
    roles: frozenset[str]
    scopes: frozenset[str]
    user_id: UUID | None = None
    session_id: UUID | None = None
    client_id: str | None = None
