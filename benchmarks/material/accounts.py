"""An Edge with accounts and sessions in its database, on the inside of the process."""

import base64
import secrets
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Insert, insert

from benchmarks.programs.memory import folder_in_memory
from edge.accounts.user import User
from edge.composition import Edge
from edge.settings import Settings
from edge.settings.model import Database, Passwords
from edge.settings.secret import Secret
from edge.stores.tables import sessions, users
from edge.telemetry import logs
from edge.tokens.session import SALT_BYTES, Origin
from edge.tokens.sessions import Started

PASSWORD: Final = "a-lamp-of-seven-dolphins"  # noqa: S105  # of accounts that are gone in a minute
CLIENT: Final = "first-party"

# The cheapest hash there is: it is not what is measured where this is used.
_CHEAP: Final = Passwords(time_cost=1, memory_kib=64, parallelism=1)
_ROWS_AT_ONCE: Final = 10_000
_FAR_AWAY_MS: Final = 2**50


def settings_for(folder: Path, database_url: str | None = None, **options: Any) -> Settings:  # noqa: ANN401
    """Give settings that need nothing beside a folder."""
    return Settings(
        data_dir=folder,
        secret_key=Secret(base64.b64encode(secrets.token_bytes(32)).decode()),
        database=Database(url=Secret(database_url) if database_url else None),
        passwords=_CHEAP,
        **options,
    )


@asynccontextmanager
async def opened_edge(database_url: str | None = None) -> AsyncIterator[Edge]:
    """Open an Edge with an empty database: the one given, or a SQLite file in memory.

    A disk would be most of what is measured, and the least steady part.
    """
    logs.configure("error", as_json=True)  # or migrations would tell of themselves
    with tempfile.TemporaryDirectory(prefix="edge-bench-", dir=folder_in_memory()) as folder:
        edge = Edge(settings_for(Path(folder), database_url))
        async with edge.stores_open():
            yield edge


async def add_user(edge: Edge, name: str, roles: Sequence[str] = ("user",)) -> User:
    """Add an account with the password.

    Raises:
        RuntimeError: it is refused.
    """
    added = await edge.accounts.add(name, PASSWORD, roles=roles)
    if not isinstance(added, User):
        message = f"{name} cannot be added: {added}"
        raise RuntimeError(message)  # noqa: TRY004  # the account is at fault, not a type
    return added


async def start_session(edge: Edge, user: User) -> Started:
    """Log a user in.

    Raises:
        RuntimeError: it is refused.
    """
    started = await edge.sessions.start(
        user_id=user.id, epoch=user.epoch, client_id=CLIENT, scopes=("profile",), origin=Origin()
    )
    if started is None:
        message = f"{user.username} gets no session"
        raise RuntimeError(message)
    return started


async def fill_users(edge: Edge, size: int) -> list[str]:
    """Write so many more users into the database; gives their names."""
    names = [f"filler-{number}" for number in range(size)]
    rows = [
        {
            "id": uuid4(),
            "username": name,
            "username_key": name,
            "password_hash": "none",
            "roles": ["user"],
            "epoch": 0,
            "is_disabled": False,
            "is_demo": False,
            "created_at_ms": 1,
            "updated_at_ms": 1,
        }
        for name in names
    ]
    await _write(edge, insert(users), rows)
    return names


async def fill_sessions(edge: Edge, user_id: UUID, size: int) -> None:
    """Write so many more sessions of a user into the database."""
    rows = [
        {
            "id": uuid4(),
            "user_id": user_id,
            "client_id": CLIENT,
            "scopes": ["profile"],
            "generation": 1,
            "salt": secrets.token_bytes(SALT_BYTES),
            "created_at_ms": 1,
            "rotated_at_ms": 1,
            "idle_expires_at_ms": _FAR_AWAY_MS,
            "absolute_expires_at_ms": _FAR_AWAY_MS,
            "address": "",
            "user_agent": "",
        }
        for _ in range(size)
    ]
    await _write(edge, insert(sessions), rows)


async def _write(edge: Edge, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    async with edge.database.writing(is_bounded=False) as connection:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            await connection.execute(statement, rows[start : start + _ROWS_AT_ONCE])
