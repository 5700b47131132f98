"""The SQL engine: SQLite (embedded) or PostgreSQL, behind one small door.

SQLAlchemy Core, not the ORM: Edge makes a handful of short statements whose atomicity is their
point (compare-and-set, insert-or-conflict), and Core shows exactly which ones run. An identity map
and a unit of work would hide them and cost about half as much again per query.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import BigInteger, String, event, exc, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from edge.faults import UnavailableError
from edge.reasons import Reason

_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_BEGIN_OPTION: Final = "edge_begin"

# SQLite has one writer at a time, and every connection is a thread: more would only wait.
_SQLITE_CONNECTIONS: Final = 5

# What a statement of ours can be wrong about: everything else the database says means that it is
# lost, refusing or broken, and drivers say that in many ways.
_MISTAKES: Final = (exc.IntegrityError, exc.ProgrammingError, exc.DataError, exc.NotSupportedError)
# SQLSTATE classes 22 (data) and 42 (syntax), which asyncpg's errors keep in the plain DBAPIError.
_MISTAKE_CLASSES: Final = ("22", "42")

# A COMMIT writes to the disk once: what is left for that when all else took as long as it may.
_COMMIT_S: Final = 1.0
# Twice this and a COMMIT are the ten seconds by which readers of the change list overlap anyway: a
# shorter time-out would only undo what a busy machine is slow at.
_LEAST_TRANSACTION_S: Final = 4.5


class database_now(FunctionElement[int]):  # noqa: N801  # reads as the SQL function it is
    """The database's clock in milliseconds since the epoch, the only clock of stored times."""

    type = BigInteger()
    inherit_cache = True


@compiles(database_now, "postgresql")
def _postgresql_now(_element: object, _compiler: SQLCompiler, **_: object) -> str:
    # Not now(): that is when the transaction began, maybe before it waited for a lock.
    return "CAST(floor(extract(epoch from clock_timestamp()) * 1000) AS BIGINT)"


@compiles(database_now, "sqlite")
def _sqlite_now(_element: object, _compiler: SQLCompiler, **_: object) -> str:
    return (
        "(CAST(strftime('%s', 'now') AS INTEGER) * 1000"
        " + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER))"
    )


class uuid_text(FunctionElement[str]):  # noqa: N801  # reads as the SQL function it is
    """A UUID as the 36 characters that `str` makes of it, on every database."""

    type = String(36)
    inherit_cache = True


@compiles(uuid_text, "postgresql")
def _postgresql_uuid_text(element: uuid_text, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    return f"CAST({compiler.process(element.clauses, **options)} AS VARCHAR)"


@compiles(uuid_text, "sqlite")
def _sqlite_uuid_text(element: uuid_text, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    digits = compiler.process(element.clauses, **options)  # 32 of them, as SQLAlchemy stores it
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return "(" + " || '-' || ".join(f"substr({digits}, {at}, {n})" for at, n in parts) + ")"


class Database:
    """A pool of connections; lives as long as the process, closed by `close()`.

    `timeout_s` bounds each wait for a connection and each statement; by the monotonic `clock`, also
    each transaction that writes rows as a whole, though not below 4.5 seconds. `waited` is told of
    each transaction that finds every connection in use.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        timeout_s: float,
        clock: Callable[[], float],
        waited: Callable[[], None] = lambda: None,
    ) -> None:
        self._longest_transaction_s = max(timeout_s, _LEAST_TRANSACTION_S)
        self._clock = clock
        self._engine = _create_engine(url, pool_size, timeout_s)
        self._waited = waited
        self._reader = self._engine.execution_options(**{_BEGIN_OPTION: "BEGIN"})
        # IMMEDIATE takes SQLite's write lock at once: a transaction that reads, then writes,
        # would otherwise fail half-way when another one wrote in between.
        self._writer = self._engine.execution_options(**{_BEGIN_OPTION: "BEGIN IMMEDIATE"})

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    @property
    def longest_write_s(self) -> float:
        """After how long, at most, what a bounded transaction wrote is there for all to see.

        It may take its bound until its COMMIT is sent, and as long again until PostgreSQL gets that
        (it ends transactions that wait longer for their client) or is done with it.
        """
        return 2 * self._longest_transaction_s + _COMMIT_S

    @property
    def connections_in_use(self) -> int:
        return self._pool.checkedout()

    @property
    def most_connections(self) -> int:
        return self._pool.size()

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a transaction that only reads.

        Raises:
            UnavailableError: the database is away, on entering or inside.
        """
        return self._transaction(self._reader)

    @asynccontextmanager
    async def writing(self, *, is_bounded: bool = True) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is committed on leaving, rolled back on an exception.

        Raises:
            UnavailableError: the database is away, on entering, inside or when committing; or the
                transaction took longer than it may, and was rolled back.
        """
        async with self._transaction(self._writer) as connection:
            began_s = self._clock()
            yield connection
            if is_bounded and self._clock() - began_s > self._longest_transaction_s:
                message = "the transaction took too long"
                raise TimeoutError(message)

    @asynccontextmanager
    async def writing_in_turn(
        self, lock: int, *, is_bounded: bool = True
    ) -> AsyncIterator[AsyncConnection]:
        """Open a transaction as `writing` does, one at a time among all that name this lock.

        SQLite has one writer at a time anyway.
        """
        async with self.writing(is_bounded=is_bounded) as connection:
            if self.dialect == "postgresql":
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({lock})"))
            yield connection

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            UnavailableError: there is none.
        """
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._engine.dispose()

    @property
    def _pool(self) -> QueuePool:
        return cast("QueuePool", self._engine.pool)  # which both databases have

    def _transaction(self, engine: AsyncEngine) -> AbstractAsyncContextManager[AsyncConnection]:
        if self.connections_in_use >= self.most_connections:
            self._waited()
        return _transaction(engine)


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.begin() as connection:
            yield connection
    except exc.DBAPIError as error:
        if _is_mistake(error):
            raise
        raise UnavailableError(Reason.STORE_UNAVAILABLE) from error
    except (exc.TimeoutError, OSError, TimeoutError) as error:
        raise UnavailableError(Reason.STORE_UNAVAILABLE) from error


def _is_mistake(error: exc.DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None) or ""
    return isinstance(error, _MISTAKES) or state.startswith(_MISTAKE_CLASSES)


def _create_engine(url: str, pool_size: int, timeout_s: float) -> AsyncEngine:
    parsed = make_url(url)
    options: dict[str, Any] = {
        "pool_timeout": timeout_s,
        # Statement parameters hold password hashes and salts; error messages reach logs.
        "hide_parameters": True,
    }
    if parsed.get_backend_name() == "sqlite":
        engine = create_async_engine(
            parsed.set(drivername=_DRIVERS["sqlite"]),
            pool_size=min(pool_size, _SQLITE_CONNECTIONS),
            max_overflow=0,
            **options,
        )
        _prepare_sqlite(engine, Path(parsed.database or ""), timeout_s)
        return engine
    engine = create_async_engine(
        parsed.set(drivername=_DRIVERS["postgresql"]),
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"timeout": timeout_s, "command_timeout": timeout_s},
        **options,
    )
    _prepare_postgresql(engine, timeout_s)
    return engine


def _prepare_postgresql(engine: AsyncEngine, timeout_s: float) -> None:
    idle_ms = int(max(timeout_s, _LEAST_TRANSACTION_S) * 1000)
    statement = f"SET idle_in_transaction_session_timeout = {idle_ms}"

    # Not among the options of the connection: PgBouncer refuses those that it does not know.
    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401  # a DBAPI connection
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        connection.autocommit = False


def _prepare_sqlite(engine: AsyncEngine, path: Path, timeout_s: float) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401  # a DBAPI connection
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(timeout_s * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL, not NORMAL: a revocation that was acknowledged must survive a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get(_BEGIN_OPTION, "BEGIN"))
