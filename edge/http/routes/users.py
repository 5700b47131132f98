"""Users about themselves, and administrators about everybody."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from edge.access.decision import Unauthenticated
from edge.access.principal import Principal
from edge.accounts.accounts import Accounts
from edge.accounts.user import User
from edge.http.enforcement import RefusedError, user_of
from edge.reasons import Reason

_ADMIN = "admin"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may know of an account; `roles` as assigned, without what they include."""

    id: UUID
    username: str
    email: str | None
    full_name: str | None
    roles: tuple[str, ...]
    is_disabled: bool
    created_at: datetime
    updated_at: datetime


@get("/users/me", summary="Who am I")
async def me(principal: NamedDependency[Principal], accounts: NamedDependency[Accounts]) -> Profile:
    user = await accounts.find(user_of(principal))
    if user is None or user.is_disabled:
        raise RefusedError(Unauthenticated(Reason.TOKEN_REVOKED), principal=principal)
    return profile_of(user)


@get("/users/{user_id:str}", summary="One user: oneself, or anybody for administrators")
async def user_by_id(
    user_id: FromPath[str],
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
) -> Profile:
    wanted = _parse(user_id)
    # 404, not 403: whether somebody else exists is nobody's business.
    if wanted is None or (wanted != principal.user_id and _ADMIN not in principal.roles):
        raise NotFoundException
    user = await accounts.find(wanted)
    if user is None:
        raise NotFoundException
    return profile_of(user)


def profile_of(user: User) -> Profile:
    return Profile(
        id=user.id,
        username=user.username,
        email=user.email,
        full_name=user.full_name,
        roles=user.roles,
        is_disabled=user.is_disabled,
        created_at=_moment(user.created_at_ms),
        updated_at=_moment(user.updated_at_ms),
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _parse(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
