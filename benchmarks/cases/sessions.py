"""Refresh tokens and accounts: what waits for a database, which has little or much in it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Final

from benchmarks.batches import Opening, awaiting
from benchmarks.case import Batch, Case, Kind
from benchmarks.material.accounts import (
    CLIENT,
    add_user,
    fill_sessions,
    fill_users,
    opened_edge,
    start_session,
)
from benchmarks.programs.cpus import beside, started_on
from benchmarks.programs.postgres import INSTALL, NAME, find_binaries, running_postgres
from benchmarks.programs.program import MissingProgramError, free_port
from edge.accounts.user import User
from edge.composition import Edge
from edge.tokens.session import Origin
from edge.tokens.sessions import Refreshed

_SIZES: Final = (100, 10_000, 100_000)
_SESSIONS: Final = 64


async def _refreshing(edge: Edge, others: int = 0) -> Batch:
    """Move sessions on, each by its newest token, among so many others."""
    user = await add_user(edge, "bench-user")
    await fill_sessions(edge, user.id, others)
    newest = [(await start_session(edge, user)).refresh_token for _ in range(_SESSIONS)]

    async def refresh(number: int) -> object:
        refreshed = await edge.sessions.refresh(newest[number], CLIENT, None, Origin())
        if isinstance(refreshed, Refreshed):
            newest[number] = refreshed.refresh_token
        return refreshed

    return awaiting(refresh, range(_SESSIONS), lambda found: isinstance(found, Refreshed))


async def _finding(edge: Edge, others: int) -> Batch:
    """Read accounts by their names, among so many others."""
    names = await fill_users(edge, others)
    step = max(1, len(names) // _SESSIONS)
    find = edge.accounts.find_by_name
    return awaiting(find, names[::step], lambda found: isinstance(found, User))


@asynccontextmanager
async def _refreshing_on_sqlite() -> AsyncIterator[Batch]:
    async with opened_edge() as edge:
        yield await _refreshing(edge)


@asynccontextmanager
async def _refreshing_on_postgresql() -> AsyncIterator[Batch]:
    with _postgresql() as url:
        async with opened_edge(url) as edge:
            yield await _refreshing(edge)


@contextmanager
def _postgresql() -> Iterator[str]:
    binaries = find_binaries()
    if binaries is None:
        raise MissingProgramError(NAME, INSTALL)
    with ExitStack() as stack:
        with started_on(beside()):
            url = stack.enter_context(running_postgres(binaries, free_port))
        yield url


@asynccontextmanager
async def _among(size: int, what: str) -> AsyncIterator[Batch]:
    async with opened_edge() as edge:
        yield await (_refreshing(edge, size) if what == "sessions" else _finding(edge, size))


def _growing(name: str, curve: str, size: int) -> Case:
    opening: Opening = partial(_among, size, name)
    return Case(id=f"growth/{name}/{size}", open=opening, kind=Kind.DATABASE, growth=(curve, size))


CASES: Final[Sequence[Case]] = [
    Case(id="refresh/sqlite", open=_refreshing_on_sqlite, kind=Kind.DATABASE),
    Case(id="refresh/postgresql", open=_refreshing_on_postgresql, kind=Kind.DATABASE),
    *(_growing("sessions", "a refresh, by sessions", size) for size in _SIZES),
    *(_growing("users", "finding an account, by users", size) for size in _SIZES),
]
