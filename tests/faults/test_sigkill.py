"""A server that is killed outright, in the middle of its work, loses nothing it acknowledged."""

import asyncio
import base64
import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from edge.stores.sql import Database
from edge.stores.tables import revocations, sessions, users
from edge.tokens.session import SALT_BYTES
from tests.support.app import TEST_ENVIRONMENT, new_password
from tests.support.secrets import remember
from tests.support.server import ROOT, EdgeServer

# The server is not measured, and to trace its clients takes longer than they do.
pytestmark = [pytest.mark.server, pytest.mark.no_cover]

_REQUESTS: Final = 1_000
_KILL_AFTER: Final = 500
_CLIENTS: Final = 16
_REFRESHES_A_LOGIN: Final = 4
_IDLE_S: Final = 3600
_ABSOLUTE_S: Final = 7200
_OVERLAP_S: Final = 300  # longer than any run of this test, so that a lost answer can be repeated
_REQUEST_TIMEOUT_S: Final = 20


class KnownSession:
    """What a client knows of a session: its newest acknowledged token, and whether it asked on."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self.id = UUID(_claims(tokens["access_token"])["sid"])
        self.generation = 1
        self.refresh_token = tokens["refresh_token"]
        self.awaits_an_answer = False

    def has_answer(self, tokens: Mapping[str, str]) -> None:
        self.generation += 1
        self.refresh_token = tokens["refresh_token"]
        self.awaits_an_answer = False

    @property
    def possible_generations(self) -> set[int]:
        """Where the row may stand: one further if the last request was done and not answered."""
        return {self.generation, self.generation + self.awaits_an_answer}


class Crowd:
    """Clients that log in and refresh, and keep account of what they were told."""

    def __init__(self, http: httpx.AsyncClient, passwords: Mapping[str, str]) -> None:
        self._http = http
        self._users = itertools.cycle(passwords.items())
        self._to_send: Iterator[int] = iter(range(_REQUESTS))
        self.half_is_done = asyncio.Event()
        self.acknowledged = 0
        self.cut_off = 0
        self.unanswered_logins = 0
        self.sessions: list[KnownSession] = []

    async def run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(_CLIENTS)))

    async def _client(self) -> None:
        try:
            while await self._log_in_and_refresh():
                pass
        except httpx.TransportError:
            self.cut_off += 1

    async def _log_in_and_refresh(self) -> bool:
        """Live through one session; False where enough was sent."""
        username, password = next(self._users)
        self.unanswered_logins += 1
        tokens = await self._post("/login", {"username": username, "password": password})
        self.unanswered_logins -= 1
        if tokens is None:
            return False
        session = KnownSession(tokens)
        self.sessions.append(session)
        for _ in range(_REFRESHES_A_LOGIN):
            session.awaits_an_answer = True
            tokens = await self._post("/refresh-token", {"refresh_token": session.refresh_token})
            if tokens is None:
                session.awaits_an_answer = False
                return False
            session.has_answer(tokens)
        return True

    async def _post(self, path: str, body: Mapping[str, str]) -> Mapping[str, str] | None:
        """Send one of the counted requests; None where all of them were sent."""
        if next(self._to_send, None) is None:
            return None
        tokens = await post(self._http, path, body)
        self.acknowledged += 1
        if self.acknowledged == _KILL_AFTER:
            self.half_is_done.set()
        return tokens


async def post(http: httpx.AsyncClient, path: str, body: Mapping[str, str]) -> Mapping[str, str]:
    answer = await http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    tokens: Mapping[str, str] = answer.json()
    remember(tokens["access_token"], tokens["refresh_token"])
    return tokens


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    return {
        **TEST_ENVIRONMENT,
        "EDGE_DATABASE_URL": database_url,
        "EDGE_DATA_DIR": str(tmp_path / "data"),
        "EDGE_TOKENS_REFRESH_IDLE_S": str(_IDLE_S),
        "EDGE_TOKENS_REFRESH_ABSOLUTE_S": str(_ABSOLUTE_S),
        "EDGE_TOKENS_REFRESH_OVERLAP_S": str(_OVERLAP_S),
    }


async def test_what_was_acknowledged_survives_a_kill(
    environment: dict[str, str], tmp_path: Path, database: Database
) -> None:
    """Killed amid 1,000 logins and refreshes, Edge keeps every session whole and acknowledged."""
    passwords = {name: new_password() for name in ("alice", "bob")}
    await asyncio.gather(*(add_user(environment, *user) for user in passwords.items()))
    server = EdgeServer(environment, tmp_path).start()
    async with httpx.AsyncClient(base_url=server.url, timeout=_REQUEST_TIMEOUT_S) as http:
        crowd = Crowd(http, passwords)
        work = asyncio.create_task(crowd.run())
        await wait_for_either(crowd.half_is_done, work)
        await asyncio.to_thread(server.kill)
        await work
    assert server.processes() == []
    assert _KILL_AFTER <= crowd.acknowledged < _REQUESTS
    assert crowd.cut_off == _CLIENTS  # the kill, and nothing else, ended the work of each

    await assert_the_database_is_whole(database)
    await assert_rows_are_what_clients_know(database, crowd)

    server.start()
    async with httpx.AsyncClient(base_url=server.url, timeout=_REQUEST_TIMEOUT_S) as http:
        await assert_every_session_goes_on(http, crowd.sessions)
    server.stop()
    assert server.processes() == []
    await assert_the_database_is_whole(database)


async def wait_for_either(event: asyncio.Event, work: asyncio.Task[None]) -> None:
    """Wait for the event; where the work ends without it, raise what ended it."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({waiting, work}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not event.is_set():
        await work
    assert event.is_set()


async def add_user(environment: Mapping[str, str], username: str, password: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge", "users", "add", username, "--role", "user"),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(f"{password}\n".encode())
    assert process.returncode == 0, output.decode()


async def assert_the_database_is_whole(database: Database) -> None:
    """Every row of `sessions` is complete and belongs to a user; nothing was revoked."""
    async with database.reading() as connection:
        if database.dialect == "sqlite":
            assert await scalars(connection, "PRAGMA integrity_check") == ["ok"]
            assert await scalars(connection, "PRAGMA foreign_key_check") == []
        known = set(await connection.scalars(select(users.c.id)))
        rows = (await connection.execute(select(sessions))).all()
        assert (await connection.execute(select(revocations))).all() == []
    for row in rows:
        assert row.user_id in known
        assert row.client_id == "first-party"
        assert row.scopes == ["profile"]
        assert row.generation >= 1
        assert len(row.salt) == SALT_BYTES
        assert row.created_at_ms <= row.rotated_at_ms
        assert is_about(_IDLE_S, row.idle_expires_at_ms - row.rotated_at_ms)
        assert is_about(_ABSOLUTE_S, row.absolute_expires_at_ms - row.created_at_ms)
        assert row.revoked_at_ms is None


def is_about(expected_s: int, milliseconds: int) -> bool:
    """Whether a stored span is the configured one; a clock read twice in a statement moves on."""
    return 0 <= milliseconds - expected_s * 1000 < 1000


async def scalars(connection: AsyncConnection, statement: str) -> list[Any]:
    return list(await connection.scalars(text(statement)))


async def assert_rows_are_what_clients_know(database: Database, crowd: Crowd) -> None:
    """No acknowledged session is missing or behind; rows nobody knows are unanswered logins."""
    async with database.reading() as connection:
        statement = select(sessions.c.id, sessions.c.generation)
        generations = {row.id: row.generation for row in await connection.execute(statement)}
    for session in crowd.sessions:
        assert generations.pop(session.id) in session.possible_generations
    assert len(generations) <= crowd.unanswered_logins
    assert set(generations.values()) <= {1}


async def assert_every_session_goes_on(
    http: httpx.AsyncClient, known_sessions: list[KnownSession]
) -> None:
    """Every newest acknowledged token still refreshes, and so does what it is exchanged for."""
    waiting = iter(known_sessions)

    async def refresh_twice() -> None:
        for session in waiting:
            tokens = await post(http, "/refresh-token", {"refresh_token": session.refresh_token})
            assert UUID(_claims(tokens["access_token"])["sid"]) == session.id
            await post(http, "/refresh-token", {"refresh_token": tokens["refresh_token"]})

    await asyncio.gather(*(refresh_twice() for _ in range(_CLIENTS)))
    assert next(waiting, None) is None


def _claims(access_token: str) -> dict[str, str]:
    payload = access_token.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return claims
