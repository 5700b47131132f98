"""The user, and what a username, a full name and a role may be."""

import re
import unicodedata
from typing import Final
from uuid import UUID

import msgspec

USERNAME_MIN: Final = 3
USERNAME_MAX: Final = 64
FULL_NAME_MAX: Final = 200

_ROLE: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
# No colon (HTTP Basic splits there), no comma, slash or space (headers and paths carry names).
_USERNAME_PUNCTUATION: Final = frozenset("._-@+")
# Letters and marks that show nothing, so that two names would look the same: the
# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt that NFKC leaves in place.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may log in.

    `epoch` counts up whenever all access tokens issued so far must die.
    """

    id: UUID
    username: str
    email: str | None
    full_name: str | None
    roles: tuple[str, ...]
    epoch: int
    is_disabled: bool
    is_demo: bool
    created_at_ms: int
    updated_at_ms: int


class StoredCredentials(msgspec.Struct, frozen=True):
    """A user with the hash of the password; kept apart so that a `User` can be shown."""

    user: User
    password_hash: str

    def __repr__(self) -> str:
        return f"StoredCredentials(user={self.user.id})"


class UserChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change about a user, everything checked and normalised; the rest stays."""

    email: str | msgspec.UnsetType | None = msgspec.UNSET
    full_name: str | msgspec.UnsetType | None = msgspec.UNSET
    roles: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    password_hash: str | msgspec.UnsetType = msgspec.UNSET
    is_disabled: bool | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        return "UserChanges(********)"


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user to be stored, everything checked and normalised."""

    id: UUID
    username: str
    email: str | None = None
    full_name: str | None = None
    roles: tuple[str, ...] = ()
    is_demo: bool = False


def normalise_username(text: str) -> str | None:
    """Give the username in NFKC, or None where it may not be one.

    3 to 64 letters, digits and `._-@+`, starting with a letter or digit, in any script.
    """
    name = unicodedata.normalize("NFKC", text)
    if not USERNAME_MIN <= len(name) <= USERNAME_MAX or not name[0].isalnum():
        return None
    if _INVISIBLE.search(name):
        return None
    return name if all(map(_may_be_in_username, name)) else None


def username_key(username: str) -> str:
    """Give what makes two usernames the same: NFKC without case.

    Folding may undo the normal form (U+0345 does), hence NFKC twice.
    """
    folded = unicodedata.normalize("NFKC", username).casefold()
    return unicodedata.normalize("NFKC", folded)


def normalise_full_name(text: str) -> str | None:
    """Give the name in NFC without outer space, or None where it is empty, long or unprintable."""
    name = unicodedata.normalize("NFC", text).strip()
    return name if name.isprintable() and 1 <= len(name) <= FULL_NAME_MAX else None


def is_role_name(text: str) -> bool:
    return _ROLE.fullmatch(text) is not None


def _may_be_in_username(character: str) -> bool:
    return character in _USERNAME_PUNCTUATION or unicodedata.category(character)[0] in "LNM"
