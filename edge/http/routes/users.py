"""Users about themselves, and administrators about everybody."""

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException

from edge.access.decision import Unauthenticated
from edge.access.principal import Principal
from edge.accounts.accounts import Accounts
from edge.http.accounts import Profile, UserId, parse_id, profile_of
from edge.http.enforcement import RefusedError, user_of
from edge.http.tags import ACCOUNT
from edge.reasons import Reason

_ADMIN = "admin"


@get("/users/me", tags=[ACCOUNT], summary="Who am I", refuses={403: [Reason.USER_NEEDED]})
async def me(principal: NamedDependency[Principal], accounts: NamedDependency[Accounts]) -> Profile:
    user = await accounts.find(user_of(principal))
    if user is None or user.is_disabled:
        raise RefusedError(Unauthenticated(Reason.TOKEN_REVOKED), principal=principal)
    return profile_of(user)


@get(
    "/users/{user_id:str}",
    tags=[ACCOUNT],
    summary="One user: oneself, or anybody for administrators",
    refuses={404: [Reason.NOT_FOUND]},
)
async def user_by_id(
    user_id: UserId,
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
) -> Profile:
    wanted = parse_id(user_id)
    # 404, not 403: whether somebody else exists is nobody's business.
    if wanted is None or (wanted != principal.user_id and _ADMIN not in principal.roles):
        raise NotFoundException
    user = await accounts.find(wanted)
    if user is None:
        raise NotFoundException
    return profile_of(user)
