"""Making, changing and authenticating OAuth clients."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from edge.accounts.client import (
    CONFIDENTIAL_GRANTS,
    PUBLIC_GRANTS,
    Client,
    GrantType,
    are_grants_for,
    is_client_id,
)
from edge.accounts.ports import ClientIdTaken, ClientStore
from edge.accounts.user import is_role_name, normalise_full_name
from edge.reasons import Reason

# Too many to guess, so a fast hash is enough.
_SECRET_BYTES: Final = 32


class ClientWithSecret(msgspec.Struct, frozen=True):
    """A client and its new secret, which can never be shown again; None for a public client."""

    client: Client
    secret: str | None

    def __repr__(self) -> str:
        return f"ClientWithSecret(client={self.client.id})"


class ClientRefused(msgspec.Struct, frozen=True):
    """Why a client is not who it says; `client` is set where one of that id exists."""

    reason: Reason
    client: Client | None = None


class Clients:
    """The OAuth clients of this Edge: the built-in one and those in the store.

    Methods give the client, None for an unknown one, or why not. Every method raises
    `UnavailableError` when the store is away.
    """

    def __init__(self, store: ClientStore, built_in: Client) -> None:
        self._store = store
        self.built_in = built_in

    async def add(
        self,
        client_id: str,
        *,
        name: str | None = None,
        is_confidential: bool = True,
        grants: Iterable[GrantType] = (),
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        may_introspect: bool = False,
    ) -> ClientWithSecret | Reason:
        """Store a client; without `grants`, it gets those that are usual for its kind."""
        usual = CONFIDENTIAL_GRANTS if is_confidential else PUBLIC_GRANTS
        client = Client(
            id=client_id,
            name=normalise_full_name(client_id if name is None else name) or "",
            is_confidential=is_confidential,
            grants=tuple(sorted(set(grants))) or usual,
            scopes=frozenset(scopes),
            roles=tuple(sorted(set(roles))),
            may_introspect=may_introspect,
        )
        if problem := self._judge(client):
            return problem
        secret = _new_secret() if is_confidential else None
        added = await self._store.add(client, _hash(secret) if secret else None)
        if isinstance(added, ClientIdTaken):
            return Reason.CLIENT_ID_TAKEN
        return ClientWithSecret(added, secret)

    async def authenticate(
        self, client_id: str | None, secret: str | None
    ) -> Client | ClientRefused:
        """Give the client that a request is from; one that names none is from the built-in one."""
        if client_id is None or client_id == self.built_in.id:
            if secret is None:
                return self.built_in
            return ClientRefused(Reason.CLIENT_CREDENTIALS_INVALID, self.built_in)
        # What may not be an id is not looked for.
        found = await self._store.find(client_id) if is_client_id(client_id) else None
        if found is None:
            return ClientRefused(Reason.CLIENT_UNKNOWN)
        if not _matches(secret, found.secret_hash):
            return ClientRefused(Reason.CLIENT_CREDENTIALS_INVALID, found.client)
        if found.client.is_disabled:
            return ClientRefused(Reason.CLIENT_DISABLED, found.client)
        return found.client

    async def is_built_in_id_taken(self) -> bool:
        """Say whether a stored client has the id of the built-in one, who needs no secret."""
        return await self._store.find(self.built_in.id) is not None

    async def all(self) -> Sequence[Client]:
        """Give the clients in the store, in the order of their ids."""
        return await self._store.all()

    async def rotate_secret(self, client_id: str) -> ClientWithSecret | Reason | None:
        """Give a confidential client a new secret; the old one is refused from now on.

        Tokens stay good: they are the client's, whatever its secret.
        """
        found = await self._store.find(client_id)
        if found is None:
            return None
        if not found.client.is_confidential:
            return Reason.CLIENT_IS_PUBLIC
        secret = _new_secret()
        changed = await self._store.replace_secret(client_id, _hash(secret))
        return ClientWithSecret(changed, secret) if changed else None

    async def disable(self, client_id: str) -> Client | None:
        """Keep a client out; its sessions and every access token it got so far die."""
        return await self._store.set_disabled(client_id, disabled=True)

    async def enable(self, client_id: str) -> Client | None:
        return await self._store.set_disabled(client_id, disabled=False)

    def _judge(self, client: Client) -> Reason | None:
        is_public = not client.is_confidential
        problems = (
            (not is_client_id(client.id), Reason.CLIENT_ID_INVALID),
            (client.id == self.built_in.id, Reason.CLIENT_ID_TAKEN),
            (not client.name, Reason.CLIENT_NAME_INVALID),
            (not are_grants_for(client.grants, is_public=is_public), Reason.GRANT_INVALID),
            (not client.scopes <= self.built_in.scopes, Reason.SCOPE_INVALID),
            (not all(map(is_role_name, client.roles)), Reason.ROLE_INVALID),
            (client.may_introspect and is_public, Reason.CLIENT_IS_PUBLIC),
        )
        return next((reason for is_wrong, reason in problems if is_wrong), None)


def _new_secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8")).digest()


def _matches(secret: str | None, secret_hash: bytes | None) -> bool:
    if secret is None or secret_hash is None:
        return secret is None and secret_hash is None
    return hmac.compare_digest(_hash(secret), secret_hash)
