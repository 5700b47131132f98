"""Users about themselves, and administrators about everybody."""

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from edge.access.decision import Unauthenticated
from edge.access.principal import Principal
from edge.accounts.accounts import Accounts
from edge.http.accounts import Profile, parse_id, profile_of
from edge.http.enforcement import RefusedError, user_of
from edge.reasons import Reason

_ADMIN = "admin"


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
    wanted = parse_id(user_id)
    # 404, not 403: whether somebody else exists is nobody's business.
    if wanted is None or (wanted != principal.user_id and _ADMIN not in principal.roles):
        raise NotFoundException
    user = await accounts.find(wanted)
    if user is None:
        raise NotFoundException
    return profile_of(user)
