"""The laws of the small door to SQL, on both databases."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, exc, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.stores.sql import Database, database_now
from tests.support.fakes import FakeClock
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.stores import open_database

_counters: Final = Table("counters", MetaData(), Column("count", Integer, unique=True))

# The database runs on this machine, unless somebody named one elsewhere.
_CLOCK_TOLERANCE_MS: Final = 2_000


@pytest.fixture
async def counter(database: Database) -> Database:
    """A database with one row that counts."""
    async with database.writing() as connection:
        await connection.run_sync(_counters.create)
        await connection.execute(insert(_counters).values(count=0))
    return database


async def test_what_was_written_is_read_afterwards(counter: Database) -> None:
    """A transaction that was left is visible to the next one."""
    async with counter.writing() as connection:
        await connection.execute(update(_counters).values(count=7))
    assert await _count(counter) == 7


async def test_an_exception_rolls_everything_back(counter: Database) -> None:
    """What a transaction wrote before an exception is as if it never was."""
    with pytest.raises(LookupError, match="half-way"):
        await _write_and_fail(counter)
    assert await _count(counter) == 0


async def test_an_unfinished_transaction_is_invisible(counter: Database) -> None:
    """A reader sees the last committed state, at once, while another transaction writes."""
    async with counter.writing() as writer:
        await writer.execute(update(_counters).values(count=7))
        assert await asyncio.wait_for(_count(counter), timeout=5) == 0
    assert await _count(counter) == 7


async def test_reading_then_writing_at_once_loses_nothing(counter: Database) -> None:
    """Of two transactions that both read, then write what they read plus one, both count."""
    meeting = asyncio.Barrier(2)

    async def add_one() -> None:
        await meeting.wait()
        async with counter.writing() as connection:
            await _add_one(connection)

    await asyncio.gather(add_one(), add_one())
    assert await _count(counter) == 2


async def test_a_crowd_of_writers_waits_its_turn(counter: Database) -> None:
    """More transactions than the pool has connections all succeed, and each counts once."""

    async def add_one() -> None:
        async with counter.writing() as connection:
            await _add_one(connection)

    await asyncio.gather(*(add_one() for _ in range(40)))
    assert await _count(counter) == 40


@pytest.mark.parametrize(("timeout_s", "longest_s"), [(4, 4.5), (20, 20)])
async def test_a_transaction_over_the_timeout_is_rolled_back(
    database_url: str, timeout_s: float, longest_s: float
) -> None:
    """What was not written within the time-out, all statements together, is not written at all."""
    clock = FakeClock()
    database = Database(database_url, pool_size=1, timeout_s=timeout_s, clock=clock)
    try:
        async with database.writing() as connection:
            await connection.run_sync(_counters.create)
            await connection.execute(insert(_counters).values(count=0))
            clock.forward(longest_s)
        with pytest.raises(UnavailableError) as refused:
            await _write_slowly(database, clock, longest_s + 0.001)
        assert refused.value.reason is Reason.STORE_UNAVAILABLE
        assert await _count(database) == 0
    finally:
        await database.close()


async def test_a_conflict_is_no_outage(counter: Database) -> None:
    """A violated constraint reaches the caller as what it is, so that it can be answered."""
    with pytest.raises(exc.IntegrityError):
        await _insert(counter, 0)


async def test_an_error_message_holds_no_parameters(counter: Database) -> None:
    """What a failing statement was given stays out of its message, which reaches the logs."""
    async with counter.writing() as connection:
        await connection.execute(insert(_counters).values(count=123_454_321))
    with pytest.raises(exc.IntegrityError) as failure:
        await _insert(counter, 123_454_321)
    shown = str(failure.value).replace(str(failure.value.orig), "")
    assert "123454321" not in shown


async def test_the_clock_agrees_with_this_machine_and_never_goes_back(database: Database) -> None:
    """The clock is in milliseconds, close to the host's, and goes on within a transaction."""
    readings: list[int] = []
    started_ms = _host_ms()
    async with database.reading() as connection:
        # Long enough to cross a full second, where its two halves could disagree.
        while _host_ms() < started_ms + 1_100:
            readings.append(await _now(connection))
            assert abs(readings[-1] - _host_ms()) < _CLOCK_TOLERANCE_MS
    assert readings == sorted(readings)
    assert readings[-1] - readings[0] > 1_000


async def test_a_pool_without_connections_is_an_outage(database_url: str) -> None:
    """Who waits longer than the timeout for a connection is told that the store is unavailable."""
    database = open_database(database_url, timeout_s=0.1)
    try:
        async with database.reading():
            await _assert_unavailable(database)
        await database.ping()
    finally:
        await database.close()


async def test_who_finds_every_connection_in_use_is_counted(database_url: str) -> None:
    """One of two that come at a time to a pool of one waits; how many are in use is known."""
    waits: list[str] = []
    database = Database(
        database_url,
        pool_size=1,
        timeout_s=5,
        clock=FakeClock(),
        waited=lambda: waits.append("waited"),
    )
    try:
        await database.ping()
        assert (database.connections_in_use, database.most_connections) == (0, 1)
        async with database.reading():
            assert (database.connections_in_use, waits) == (1, [])
            other = asyncio.create_task(database.ping())
            await asyncio.sleep(0)
        await other
    finally:
        await database.close()
    assert waits == ["waited"]


async def test_a_postgresql_that_is_not_there_is_an_outage() -> None:
    """A port where nobody listens is a database that is away."""
    url = f"postgresql://edge@127.0.0.1:{free_port()}/edge"
    await _assert_unavailable_at(url)


async def test_a_database_of_no_such_name_is_an_outage(postgres: Postgres) -> None:
    """A server that does not have the database cannot be used, whoever is to blame."""
    url = postgres.url.rpartition("/")[0] + "/no_such_database"
    await _assert_unavailable_at(url)


async def test_a_postgresql_that_says_nothing_is_an_outage() -> None:
    """A server that accepts and never answers is given up after the timeout."""
    keep: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: keep.append(writer), "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        async with asyncio.timeout(5):
            await _assert_unavailable_at(f"postgresql://edge@127.0.0.1:{port}/edge")
        for writer in keep:
            writer.close()


async def test_a_statement_over_the_timeout_is_an_outage(postgres_url: str) -> None:
    """A statement that PostgreSQL does not finish in time is given up."""
    database = open_database(postgres_url, timeout_s=0.2)
    try:
        with pytest.raises(UnavailableError):
            await _sleep(database, seconds=30)
        await database.ping()
    finally:
        await database.close()


@pytest.mark.parametrize(("timeout_s", "idle"), [(0.2, "4500ms"), (7, "7s")])
async def test_postgresql_is_told_when_to_end_what_is_idle(
    postgres_url: str, timeout_s: float, idle: str
) -> None:
    """As long as a transaction may take, it waits for the next word of its client."""
    database = open_database(postgres_url, timeout_s=timeout_s)
    try:
        async with database.reading() as connection:
            shown = await connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
        assert shown == idle
    finally:
        await database.close()


async def test_a_transaction_whose_client_is_silent_is_ended(postgres_url: str) -> None:
    """What PostgreSQL has ended is not written: its COMMIT comes too late."""
    database = Database(postgres_url, pool_size=1, timeout_s=5, clock=FakeClock())
    other = open_database(postgres_url, timeout_s=5)
    try:
        async with other.writing() as connection:
            await connection.run_sync(_counters.create)
            await connection.execute(insert(_counters).values(count=0))
        async with asyncio.timeout(10):
            with pytest.raises(UnavailableError):
                await _write_and_wait_for_the_end(database, other)
        assert await _count(other) == 0
        await database.ping()
    finally:
        await database.close()
        await other.close()


async def test_a_connection_cut_in_the_middle_is_an_outage(postgres_url: str) -> None:
    """A transaction whose connection PostgreSQL ends is unavailable, and the next one is not."""
    database = open_database(postgres_url, timeout_s=5)
    try:
        with pytest.raises(UnavailableError):
            await _cut_itself_off(database)
        await database.ping()
    finally:
        await database.close()


async def test_a_restarted_postgresql_is_used_again(postgres_url: str) -> None:
    """Connections that died in the pool cost one refusal each at most, then all is well."""
    victim = open_database(postgres_url, timeout_s=5)
    other = open_database(postgres_url, timeout_s=5)
    try:
        await victim.ping()
        await _cut_off_all_others(other)
        await _ping_refused_at_most_once(victim)
    finally:
        await victim.close()
        await other.close()


async def test_a_folder_in_place_of_the_sqlite_file_is_an_outage(tmp_path: Path) -> None:
    """A SQLite path that cannot be opened is a database that is away."""
    await _assert_unavailable_at(f"sqlite:///{tmp_path}")


async def test_a_file_that_is_no_sqlite_database_is_an_outage(tmp_path: Path) -> None:
    """A file of something else at the path of the database is a database that is away."""
    path = tmp_path / "edge.db"
    path.write_bytes(b"this is no database\n" * 1000)
    await _assert_unavailable_at(f"sqlite:///{path}")


async def test_a_sqlite_lock_held_too_long_is_an_outage(tmp_path: Path) -> None:
    """A writer that another process keeps waiting longer than the timeout is refused."""
    url = f"sqlite:///{tmp_path / 'edge.db'}"
    holder = open_database(url, timeout_s=5)
    waiting = open_database(url, timeout_s=0.1)
    try:
        async with holder.writing():
            with pytest.raises(UnavailableError):
                await _write_nothing(waiting)
        await _write_nothing(waiting)
    finally:
        await holder.close()
        await waiting.close()


async def _count(database: Database) -> int:
    async with database.reading() as connection:
        count: int = (await connection.execute(select(_counters.c.count))).scalar_one()
    return count


async def _add_one(connection: AsyncConnection) -> None:
    # Locks the row in PostgreSQL; in SQLite the whole transaction already holds the lock.
    read = await connection.scalar(select(func.coalesce(_counters.c.count, 0)).with_for_update())
    await asyncio.sleep(0)
    await connection.execute(update(_counters).values(count=(read or 0) + 1))


async def _insert(database: Database, count: int) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(_counters).values(count=count))


async def _write_and_fail(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(update(_counters).values(count=7))
        message = "half-way"
        raise LookupError(message)


async def _write_slowly(database: Database, clock: FakeClock, seconds: float) -> None:
    async with database.writing() as connection:
        await connection.execute(update(_counters).values(count=7))
        clock.forward(seconds)


async def _write_and_wait_for_the_end(database: Database, other: Database) -> None:
    async with database.writing() as connection:
        process = await connection.scalar(text("SELECT pg_backend_pid()"))
        await connection.execute(update(_counters).values(count=7))
        await connection.execute(text("SET idle_in_transaction_session_timeout = 1"))
        while await _is_there(other, process):
            pass


async def _is_there(database: Database, process: int) -> bool:
    async with database.reading() as connection:
        statement = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
        return bool(await connection.scalar(statement, {"pid": process}))


async def _write_nothing(database: Database) -> None:
    async with database.writing():
        pass


async def _sleep(database: Database, *, seconds: int) -> None:
    async with database.reading() as connection:
        await connection.execute(select(func.pg_sleep(seconds)))


async def _cut_itself_off(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


async def _cut_off_all_others(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


async def _ping_refused_at_most_once(database: Database) -> None:
    try:
        await database.ping()
    except UnavailableError:
        await database.ping()


async def _now(connection: AsyncConnection) -> int:
    return (await connection.execute(select(database_now()))).scalar_one()


async def _assert_unavailable(database: Database) -> None:
    with pytest.raises(UnavailableError) as refused:
        await database.ping()
    assert refused.value.reason is Reason.STORE_UNAVAILABLE


async def _assert_unavailable_at(url: str) -> None:
    database = open_database(url, timeout_s=0.5)
    try:
        await _assert_unavailable(database)
    finally:
        await database.close()
        await _threads_ended()


async def _threads_ended() -> None:
    """Wait for the threads of SQLite connections, which answer a loop that must still be open."""
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, timeout=5)
            assert not thread.is_alive(), "a connection was left open"


def _host_ms() -> int:
    return time.time_ns() // 1_000_000
