"""Around the stores: users to put in, a clock to turn, rows to look at, things to break."""

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    bindparam,
    exc,
    insert,
    select,
    text,
    update,
)
from uuid_utils.compat import uuid7

from edge.accounts.ports import UsernameTaken
from edge.accounts.sql.users import SqlUserStore
from edge.accounts.user import NewUser, User
from edge.faults import UnavailableError
from edge.stores.sql import Database, database_now
from edge.stores.tables import revocations, sessions
from edge.tokens.claims import AccessClaims, ClaimsPolicy, VerifiedToken
from edge.tokens.own_tokens import OwnTokens
from edge.tokens.revocations import RevocationSnapshot
from edge.tokens.sql.revocations import SqlRevocationLog

REVOCATION_LIFETIME_S: Final = 910

_HASH: Final = "hash"

_counter = itertools.count(1)


class TravelClock:
    """A clock that stands still until it is told to go on; the `now` of a `SqlSessionStore`."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.now_ms = now_ms

    def go(self, *, to_ms: int) -> None:
        self.now_ms = to_ms

    def forward(self, ms: int) -> None:
        self.now_ms += ms

    @property
    def expression(self) -> ColumnElement[int]:
        """Give SQL whose value is this clock's time when the statement runs."""
        return bindparam("travel_now_ms", callable_=lambda: self.now_ms, type_=BigInteger)


def open_database(url: str, *, pool_size: int = 1, timeout_s: float = 10) -> Database:
    """Give a database that whoever asks for it closes."""
    return Database(url, pool_size=pool_size, timeout_s=timeout_s, clock=time.perf_counter)


def new_user(username: str | None = None, *, is_demo: bool = False, roles: str = "") -> NewUser:
    """Make a user to be stored; `roles` are separated by spaces."""
    return NewUser(
        id=uuid7(),
        username=username or f"somebody{next(_counter)}",
        roles=tuple(roles.split()),
        is_demo=is_demo,
    )


def user_store(database: Database) -> SqlUserStore:
    return SqlUserStore(database, revocation_lifetime_s=REVOCATION_LIFETIME_S)


async def stored_user(
    database: Database, username: str | None = None, *, password_hash: str = _HASH, roles: str = ""
) -> User:
    added = await user_store(database).add(new_user(username, roles=roles), password_hash)
    assert not isinstance(added, UsernameTaken)
    return added


async def rows_of(database: Database, table: Table, **equal: object) -> Sequence[Mapping[str, Any]]:
    """Give the rows of a table whose columns have these values, the oldest first."""
    statement = select(table).filter_by(**equal).order_by(*table.primary_key.columns)
    async with database.reading() as connection:
        return [dict(row._mapping) for row in await connection.execute(statement)]  # noqa: SLF001  # SQLAlchemy's public name for it


async def row_of(database: Database, table: Table, **equal: object) -> Mapping[str, Any]:
    rows = await rows_of(database, table, **equal)
    assert len(rows) == 1
    return rows[0]


async def record_token_revocation(database: Database, jti: str) -> None:
    """Revoke one access token, which nothing in Edge does yet."""
    statement = insert(revocations).values(
        kind="token",
        subject=jti,
        recorded_at_ms=database_now(),
        expires_at_ms=database_now() + REVOCATION_LIFETIME_S * 1000,
    )
    async with database.writing() as connection:
        await connection.execute(statement)


def verified_token(
    user_id: UUID, session_id: UUID, *, epoch: int, jti: str = "a-token"
) -> VerifiedToken:
    """Give what a good access token of Edge's own comes to."""
    policy = ClaimsPolicy(issuer="https://edge.test", audiences=frozenset({"edge"}), leeway_s=5)
    claims = AccessClaims(
        iss="https://edge.test",
        sub=str(user_id),
        aud="edge",
        exp=1_900_000_000,
        iat=1_800_000_000,
        jti=jti,
        client_id="first-party",
        sid=str(session_id),
        epoch=epoch,
    )
    return OwnTokens(policy).accept(claims, b"", inf)


# What a statement fails with once `make_revocations_unwritable` has run.
UNWRITABLE: Final = (UnavailableError, exc.ProgrammingError)


async def make_revocations_unwritable(database: Database) -> None:
    """Break the last step of whatever records a revocation; nothing may be left of the rest."""
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE revocations RENAME TO elsewhere"))


async def set_session(database: Database, **values: object) -> None:
    """Change the row of every session, as no code of Edge would."""
    async with database.writing() as connection:
        await connection.execute(update(sessions).values(**values))


async def let_others_run(times: int) -> None:
    """Give the event loop away this often, to begin at another moment of a race."""
    for _ in range(times):
        await asyncio.sleep(0)


class ReadAnew:
    """Asks a snapshot of all that is in the list just now."""

    def __init__(self, log: SqlRevocationLog) -> None:
        self._log = log

    async def is_revoked(self, token: VerifiedToken) -> bool:
        snapshot = RevocationSnapshot()
        snapshot.apply((await self._log.since(None)).rows)
        return snapshot.is_revoked(token)
