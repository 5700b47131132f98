"""What the routes about accounts share: how they are shown, named and refused."""

from datetime import datetime
from typing import Annotated, Final, NoReturn
from uuid import UUID

import msgspec
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from edge.accounts.user import User
from edge.http.bodies import BodyError
from edge.http.moments import moment
from edge.http.problems import FieldError, title
from edge.reasons import Reason

_FIELDS: Final = {
    Reason.USERNAME_INVALID: "username",
    Reason.USERNAME_TAKEN: "username",
    Reason.EMAIL_INVALID: "email",
    Reason.FULL_NAME_INVALID: "full_name",
    Reason.ROLE_INVALID: "roles",
}
# What may be wrong with a new profile and a new password.
NEW_PROFILE: Final = (Reason.EMAIL_INVALID, Reason.FULL_NAME_INVALID, Reason.ROLE_INVALID)
NEW_PASSWORD: Final = (
    Reason.PASSWORD_TOO_SHORT,
    Reason.PASSWORD_TOO_LONG,
    Reason.PASSWORD_COMMON,
    Reason.PASSWORD_GUESSABLE,
    Reason.PASSWORD_CONTEXTUAL,
    Reason.PASSWORD_NOT_TEXT,
)

# Read by `parse_id`, so that what is none is not found; the format is for who reads of it.
_ID: Final = {"format": "uuid"}
_AN_ID: Final = [Example(value="01998a53-d97e-7c1f-8f4e-0a2b6c3d5e71")]
UserId = Annotated[
    str, PathParameter(description="The id of a user.", schema_extra=_ID, examples=_AN_ID)
]
SessionId = Annotated[
    str, PathParameter(description="The id of a session.", schema_extra=_ID, examples=_AN_ID)
]


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


def profile_of(user: User) -> Profile:
    return Profile(
        id=user.id,
        username=user.username,
        email=user.email,
        full_name=user.full_name,
        roles=user.roles,
        is_disabled=user.is_disabled,
        created_at=moment(user.created_at_ms),
        updated_at=moment(user.updated_at_ms),
    )


def parse_id(text: str) -> UUID | None:
    """Read an id in a path; None where it is none, which nothing then has."""
    try:
        return UUID(text)
    except ValueError:
        return None


def refuse_account(
    reason: Reason,
    *,
    password_field: str = "password",  # noqa: S107  # the name of a field
) -> NoReturn:
    """Say that an account cannot be made or changed so, and which field is at fault.

    Raises:
        BodyError: always.
    """
    field = _FIELDS.get(reason, password_field)
    raise BodyError(reason, [FieldError(f"/{field}", title(reason))])
