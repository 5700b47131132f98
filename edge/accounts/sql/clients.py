"""OAuth clients in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exc, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge.accounts.client import Client, StoredClient
from edge.accounts.ports import ClientIdTaken
from edge.stores.announcing import Announce, to_nobody
from edge.stores.sql import Database, database_now, uuid_text
from edge.stores.tables import clients, revocations, sessions


class SqlClientStore:
    """The `ClientStore` port. `revocation_lifetime_s` is how long an access token can live on.

    `subject_prefix` and a client's id are the subject of its service account. `announce` is awaited
    after each transaction that revoked something.
    """

    def __init__(
        self,
        database: Database,
        *,
        revocation_lifetime_s: int,
        subject_prefix: str,
        announce: Announce = to_nobody,
    ) -> None:
        self._database = database
        self._announce = announce
        self._subject_prefix = subject_prefix
        self._revocation_lifetime_ms = revocation_lifetime_s * 1000

    async def add(self, client: Client, secret_hash: bytes | None) -> Client | ClientIdTaken:
        statement = (
            insert(clients)
            .values(
                id=client.id,
                name=client.name,
                secret_hash=secret_hash,
                grants=list(client.grants),
                scopes=sorted(client.scopes),
                roles=list(client.roles),
                may_introspect=client.may_introspect,
                epoch=0,
                is_disabled=False,
                created_at_ms=database_now(),
                updated_at_ms=database_now(),
            )
            .returning(*clients.c)
        )
        try:
            async with self._database.writing() as connection:
                return _stored((await connection.execute(statement)).one()).client
        except exc.IntegrityError:
            return ClientIdTaken()

    async def find(self, client_id: str) -> StoredClient | None:
        statement = select(clients).where(clients.c.id == client_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).first()
        return _stored(row) if row else None

    async def all(self) -> Sequence[Client]:
        statement = select(clients).order_by(clients.c.id)
        async with self._database.reading() as connection:
            return [_stored(row).client for row in await connection.execute(statement)]

    async def replace_secret(self, client_id: str, secret_hash: bytes) -> Client | None:
        async with self._database.writing() as connection:
            return await _change(connection, client_id, secret_hash=secret_hash)

    async def set_disabled(self, client_id: str, *, disabled: bool) -> Client | None:
        async with self._database.writing() as connection:
            # This locks the row, so no session of the client can start before the end of it.
            epoch = clients.c.epoch + int(disabled)
            client = await _change(connection, client_id, is_disabled=disabled, epoch=epoch)
            if client is None or not disabled:
                return client
            await self._end_service_account(connection, client)
            await self._end_sessions(connection, client_id)
        await self._announce()
        return client

    async def _end_service_account(self, connection: AsyncConnection, client: Client) -> None:
        await connection.execute(
            insert(revocations).values(
                kind="user",
                subject=self._subject_prefix + client.id,
                epoch=client.epoch,
                recorded_at_ms=database_now(),
                expires_at_ms=database_now() + self._revocation_lifetime_ms,
            )
        )

    async def _end_sessions(self, connection: AsyncConnection, client_id: str) -> None:
        live = (sessions.c.client_id == client_id) & sessions.c.revoked_at_ms.is_(None)
        ended = select(
            literal("session"),
            uuid_text(sessions.c.id),
            database_now(),
            database_now() + self._revocation_lifetime_ms,
        ).where(live)
        columns = ["kind", "subject", "recorded_at_ms", "expires_at_ms"]
        await connection.execute(insert(revocations).from_select(columns, ended))
        await connection.execute(update(sessions).where(live).values(revoked_at_ms=database_now()))


async def _change(connection: AsyncConnection, client_id: str, **values: object) -> Client | None:
    statement = (
        update(clients)
        .where(clients.c.id == client_id)
        .values(updated_at_ms=database_now(), **values)
        .returning(*clients.c)
    )
    row = (await connection.execute(statement)).first()
    return _stored(row).client if row else None


def _stored(row: Any) -> StoredClient:  # noqa: ANN401  # rows of several statements
    client = Client(
        id=row.id,
        name=row.name,
        is_confidential=row.secret_hash is not None,
        grants=tuple(row.grants),
        scopes=frozenset(row.scopes),
        roles=tuple(row.roles),
        may_introspect=row.may_introspect,
        epoch=row.epoch,
        is_disabled=row.is_disabled,
        created_at_ms=row.created_at_ms,
        updated_at_ms=row.updated_at_ms,
    )
    return StoredClient(client, row.secret_hash)
