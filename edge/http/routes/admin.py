"""Administrators about accounts."""

import base64
import binascii
from http import HTTPStatus
from typing import Annotated, Final, NoReturn

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from edge.access.principal import Principal
from edge.accounts.accounts import Accounts
from edge.accounts.user import USERNAME_MAX, User, normalise_username
from edge.http.accounts import (
    NEW_PASSWORD,
    NEW_PROFILE,
    Profile,
    UserId,
    parse_id,
    profile_of,
    refuse_account,
)
from edge.http.bodies import BodyError, EdgeRequest
from edge.http.events import request_event
from edge.http.guards import requires_role
from edge.http.own_router import OwnRouter
from edge.http.problems import FieldError
from edge.http.tags import ADMINISTRATION
from edge.reasons import Reason
from edge.telemetry.events import (
    AccountCreated,
    AccountDisabled,
    AccountEnabled,
    AccountPasswordChanged,
    AccountProfileChanged,
    AccountRolesChanged,
    AccountSessionsEnded,
    Record,
    SecurityEvent,
)

_MOST_USERS: Final = 200
_LONGEST_CURSOR: Final = 4 * 4 * USERNAME_MAX // 3 + 1  # of four bytes a character, in base64

_Text = Annotated[str, Meta(min_length=1, max_length=4096)]
_Roles = Annotated[tuple[_Text, ...], Meta(max_length=64, examples=[["user"]])]


class UserPage(msgspec.Struct, frozen=True):
    """Some users in the order of their names; `next_cursor` leads to those behind them."""

    users: list[Profile]
    next_cursor: str | None


class NewAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /admin/users`."""

    username: Annotated[str, Meta(min_length=1, max_length=4096, examples=["ann"])]
    password: Annotated[
        str, Meta(min_length=1, max_length=4096, examples=["four words that nobody guesses"])
    ]
    roles: _Roles = ()
    email: _Text | None = None
    full_name: _Text | None = None

    def __repr__(self) -> str:
        return "NewAccount(********)"


class AccountChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `PATCH /admin/users/{id}`: what is left out stays as it is."""

    email: _Text | UnsetType | None = UNSET
    full_name: _Text | UnsetType | None = UNSET
    roles: _Roles | UnsetType = UNSET
    password: _Text | UnsetType = UNSET
    is_disabled: bool | UnsetType = UNSET

    def __repr__(self) -> str:
        return "AccountChange(********)"


@get(
    "/admin/users",
    summary="All users, a page at a time",
    description="`next_cursor` of the answer, as `cursor`, leads to the next page.",
)
async def list_users(
    accounts: NamedDependency[Accounts],
    limit: Annotated[
        int, QueryParameter(ge=1, le=_MOST_USERS, description="The most users of a page.")
    ] = 50,
    cursor: Annotated[
        str, QueryParameter(max_length=_LONGEST_CURSOR, description="Where the page before ended.")
    ] = "",
) -> UserPage:
    users = await accounts.page(after=_read_cursor(cursor), limit=limit + 1)
    shown = users[:limit]
    next_cursor = _cursor(shown[-1].username) if len(users) > limit else None
    return UserPage([profile_of(user) for user in shown], next_cursor)


@post(
    "/admin/users",
    summary="Make an account",
    response_headers=[
        ResponseHeader("Location", documentation_only=True, description="Where the account is.")
    ],
    refuses={
        400: [Reason.USERNAME_INVALID, *NEW_PROFILE, *NEW_PASSWORD],
        409: [Reason.USERNAME_TAKEN],
        503: [Reason.HASHING_OVERLOADED],
    },
)
async def add_user(
    request: EdgeRequest,
    data: JSONBody[NewAccount],
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    record: NamedDependency[Record],
) -> Response[Profile]:
    user = await accounts.add(
        data.username,
        data.password,
        roles=data.roles,
        email=data.email,
        full_name=data.full_name,
    )
    if isinstance(user, Reason):
        refuse_account(user)
    _record(request, record, principal, user, AccountCreated)
    headers = {"Location": f"/users/{user.id}"}
    return Response(profile_of(user), status_code=HTTPStatus.CREATED, headers=headers)


@patch(
    "/admin/users/{user_id:str}",
    summary="Change an account",
    description="What is left out stays as it is; all of it is done, or nothing.",
    refuses={
        400: [*NEW_PROFILE, *NEW_PASSWORD],
        404: [Reason.NOT_FOUND],
        503: [Reason.HASHING_OVERLOADED],
    },
)
async def change_user(
    request: EdgeRequest,
    user_id: UserId,
    data: JSONBody[AccountChange],
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    record: NamedDependency[Record],
) -> Profile:
    before = await _find(accounts, user_id)
    changed = await accounts.change(
        before,
        email=data.email,
        full_name=data.full_name,
        roles=data.roles,
        password=data.password,
        is_disabled=data.is_disabled,
    )
    if isinstance(changed, Reason):
        refuse_account(changed)
    if changed is None:
        raise NotFoundException
    _record(request, record, principal, changed, *_kinds(before, changed, data))
    return profile_of(changed)


@delete(
    "/admin/users/{user_id:str}/sessions",
    summary="End all sessions of a user",
    refuses={404: [Reason.NOT_FOUND]},
)
async def end_sessions_of(
    request: EdgeRequest,
    user_id: UserId,
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    record: NamedDependency[Record],
) -> None:
    user = await _find(accounts, user_id)
    if not await accounts.end_sessions(user.id):
        raise NotFoundException
    _record(request, record, principal, user, AccountSessionsEnded)


def admin_routes() -> OwnRouter:
    """Give the routes, all of them for the role `admin` only."""
    return OwnRouter(
        path="/",
        guards=[requires_role("admin")],
        tags=[ADMINISTRATION],
        route_handlers=[list_users, add_user, change_user, end_sessions_of],
    )


async def _find(accounts: Accounts, user_id: str) -> User:
    wanted = parse_id(user_id)
    user = await accounts.find(wanted) if wanted else None
    if user is None:
        raise NotFoundException
    return user


def _kinds(before: User, after: User, change: AccountChange) -> list[type[SecurityEvent]]:
    """Give the events of what has really changed."""
    kinds: list[type[SecurityEvent]] = []
    if (before.email, before.full_name) != (after.email, after.full_name):
        kinds.append(AccountProfileChanged)
    if before.roles != after.roles:
        kinds.append(AccountRolesChanged)
    if change.password is not UNSET:
        kinds.append(AccountPasswordChanged)
    if before.is_disabled != after.is_disabled:
        kinds.append(AccountDisabled if after.is_disabled else AccountEnabled)
    return kinds


def _record(
    request: EdgeRequest,
    record: Record,
    principal: Principal,
    user: User,
    *kinds: type[SecurityEvent],
) -> None:
    for kind in kinds:
        record(request_event(kind, request.scope, principal=user.id, by=principal.subject))


def _cursor(username: str) -> str:
    return base64.urlsafe_b64encode(username.encode("utf-8")).decode("ascii").rstrip("=")


def _read_cursor(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        username = base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        _refuse_cursor()
    if username and normalise_username(username) is None:
        _refuse_cursor()
    return username


def _refuse_cursor() -> NoReturn:
    error = FieldError("/query/cursor", "is not one that an answer gave")
    raise BodyError(Reason.VALIDATION_FAILED, [error])
