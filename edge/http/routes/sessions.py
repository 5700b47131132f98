"""Users about their own sessions and their password."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import JSONBody
from msgspec import Meta

from edge.access.decision import Forbidden, Unauthenticated
from edge.access.principal import Principal
from edge.accounts.accounts import Accounts
from edge.http.accounts import NEW_PASSWORD, SessionId, parse_id, refuse_account
from edge.http.bodies import EdgeRequest
from edge.http.context import context_of
from edge.http.enforcement import RefusedError, user_of
from edge.http.events import request_event
from edge.http.moments import moment
from edge.http.security_headers import CLEAR_SITE_DATA
from edge.http.tags import ACCOUNT
from edge.reasons import Reason
from edge.telemetry.events import (
    AccountPasswordChanged,
    AccountSessionsEnded,
    LoggedOut,
    Record,
)
from edge.tokens.sessions import Sessions

_USERS_ONLY = {403: [Reason.USER_NEEDED]}


class ShownSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session; `address` and `user_agent` are of the login or, later, of the last refresh."""

    id: UUID
    client_id: str
    created_at: datetime
    last_used_at: datetime
    address: str
    user_agent: str
    is_current: bool


class OwnSessions(msgspec.Struct, frozen=True):
    """The answer of `GET /sessions`."""

    sessions: list[ShownSession]


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /users/me/password`."""

    old_password: Annotated[str, Meta(min_length=1, max_length=4096, examples=["the old one"])]
    new_password: Annotated[str, Meta(min_length=1, max_length=4096, examples=["the new one"])]

    def __repr__(self) -> str:
        return "PasswordChange(********)"


@get(
    "/sessions",
    tags=[ACCOUNT],
    summary="One's own sessions, the one used last first",
    refuses=_USERS_ONLY,
)
async def own_sessions(
    principal: NamedDependency[Principal], sessions: NamedDependency[Sessions]
) -> OwnSessions:
    live = await sessions.of_user(user_of(principal))
    return OwnSessions(
        [
            ShownSession(
                id=session.id,
                client_id=session.client_id,
                created_at=moment(session.created_at_ms),
                last_used_at=moment(session.used_at_ms),
                address=session.origin.address,
                user_agent=session.origin.user_agent,
                is_current=session.id == principal.session_id,
            )
            for session in live
        ]
    )


@delete(
    "/sessions/{session_id:str}",
    tags=[ACCOUNT],
    summary="End one of one's own sessions",
    refuses={**_USERS_ONLY, 404: [Reason.NOT_FOUND]},
)
async def end_session(
    request: EdgeRequest,
    session_id: SessionId,
    principal: NamedDependency[Principal],
    sessions: NamedDependency[Sessions],
    record: NamedDependency[Record],
) -> None:
    user, wanted = user_of(principal), parse_id(session_id)
    # 404 for somebody else's too: which sessions there are is nobody's business.
    if wanted is None or not await sessions.end(wanted, of=user):
        raise NotFoundException
    record(request_event(LoggedOut, request.scope, principal=user, session=wanted))


@delete(
    "/sessions",
    response_headers=CLEAR_SITE_DATA,
    tags=[ACCOUNT],
    summary="Log out everywhere: end all of one's own sessions",
    refuses=_USERS_ONLY,
)
async def end_sessions(
    request: EdgeRequest,
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    record: NamedDependency[Record],
) -> None:
    user = user_of(principal)
    await accounts.end_sessions(user)
    record(request_event(AccountSessionsEnded, request.scope, principal=user, by=str(user)))


@post(
    "/users/me/password",
    status_code=HTTPStatus.NO_CONTENT,
    tags=[ACCOUNT],
    summary="Change one's own password; all other sessions end",
    refuses={
        400: NEW_PASSWORD,
        403: [Reason.USER_NEEDED, Reason.PASSWORD_WRONG],
        429: [Reason.RATE_LIMITED],
        503: [Reason.HASHING_OVERLOADED],
    },
)
async def change_password(
    request: EdgeRequest,
    data: JSONBody[PasswordChange],
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    record: NamedDependency[Record],
) -> None:
    user = await accounts.find(user_of(principal))
    if user is None or user.is_disabled:
        raise RefusedError(Unauthenticated(Reason.TOKEN_REVOKED), principal=principal)
    problem = await accounts.change_password(
        user,
        old=data.old_password,
        new=data.new_password,
        kept_session=principal.session_id,
        address=context_of(request.scope).client_address,
    )
    if problem is Reason.PASSWORD_WRONG:
        # Not 401: the access token is good, and clients throw sessions away on 401.
        raise RefusedError(Forbidden(problem), principal=principal)
    if problem is not None:
        refuse_account(problem, password_field="new_password")  # noqa: S106  # a field's name
    record(request_event(AccountPasswordChanged, request.scope, principal=user.id, by=str(user.id)))
