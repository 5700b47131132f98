"""The OAuth client, and what its id, grants and scopes may be."""

import re
from collections.abc import Iterable
from typing import Final, Literal, get_args

import msgspec

GrantType = Literal["password", "refresh_token", "client_credentials"]

GRANT_TYPES: Final[tuple[GrantType, ...]] = get_args(GrantType)
CONFIDENTIAL_GRANTS: Final[tuple[GrantType, ...]] = ("client_credentials",)
PUBLIC_GRANTS: Final[tuple[GrantType, ...]] = ("password", "refresh_token")

# Characters that no encoding changes, so that it does not matter whether a client encodes them for
# HTTP Basic as RFC 6749 section 2.3.1 asks; many do not.
_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """An application that asks for tokens.

    A confidential client has a secret to prove itself with. `scopes` limit what it may get, for its
    users and for itself; `roles` are of the service account that it is under `client_credentials`.
    `epoch` counts up whenever the tokens of that account issued so far must die.
    """

    id: str
    name: str
    is_confidential: bool
    grants: tuple[GrantType, ...]
    scopes: frozenset[str]
    roles: tuple[str, ...] = ()
    may_introspect: bool = False
    epoch: int = 0
    is_disabled: bool = False
    created_at_ms: int = 0
    updated_at_ms: int = 0


class StoredClient(msgspec.Struct, frozen=True):
    """A client with the hash of its secret; kept apart so that a `Client` can be shown."""

    client: Client
    secret_hash: bytes | None

    def __repr__(self) -> str:
        return f"StoredClient(client={self.client.id})"


def built_in_client(client_id: str, scopes: Iterable[str]) -> Client:
    """Give the client of first-party logins, which needs no row: public, with all scopes."""
    return Client(
        id=client_id,
        name="First-party logins",
        is_confidential=False,
        grants=PUBLIC_GRANTS,
        scopes=frozenset(scopes),
    )


def is_client_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def are_grants_for(grants: Iterable[GrantType], *, is_public: bool) -> bool:
    """Say whether a client may have these grants; without a secret, it is not an account itself."""
    wanted = frozenset(grants)
    if not wanted or ("refresh_token" in wanted and "password" not in wanted):
        return False  # nothing to refresh
    return not (is_public and "client_credentials" in wanted)
