"""Revoking on two workers: 10,000 tokens, none accepted after the bound; Redis makes it sooner."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import httpx
import psutil
import pytest
from sqlalchemy import insert
from uuid_utils.compat import uuid7

from edge.composition import Edge
from edge.settings import load
from edge.stores.sql import database_now
from edge.stores.tables import revocations, sessions
from edge.tokens.access_tokens import AccessTokenIssuer, Grant
from tests.support.app import TEST_ENVIRONMENT, bearer
from tests.support.redis import running_redis
from tests.support.secrets import remember
from tests.support.server import EdgeServer

# The server is not measured, and to trace its clients takes longer than they do.
pytestmark = [pytest.mark.server, pytest.mark.no_cover]

TOKENS: Final = 10_000
BATCH: Final = 2000
CONNECTIONS: Final = 16
BOUND_S: Final = 1.0  # the default: what a busy machine can keep too
_HOUR_MS: Final = 3_600_000


async def live_tokens(folder: Path, environment: dict[str, str], count: int) -> dict[str, str]:
    """Start sessions beside the server, on its database; gives their access tokens by id."""
    edge = Edge(load({**environment, "EDGE_DATA_DIR": str(folder / ".edge")}).or_raise())
    async with edge.stores_open():
        user = await edge.accounts.find_by_name("user")
        assert user is not None
        ids = [uuid7() for _ in range(count)]
        rows = [
            {
                "id": session_id,
                "user_id": user.id,
                "client_id": "first-party",
                "scopes": [],
                "generation": 1,
                "salt": secrets.token_bytes(16),
            }
            for session_id in ids
        ]
        times = {
            "created_at_ms": database_now(),
            "rotated_at_ms": database_now(),
            "idle_expires_at_ms": database_now() + _HOUR_MS,
            "absolute_expires_at_ms": database_now() + _HOUR_MS,
        }
        async with edge.database.writing() as connection:
            await connection.execute(insert(sessions).values(times), rows)
        issuer = AccessTokenIssuer(
            edge.key_ring,
            issuer=edge.settings.base_url,
            audience="edge",
            lifetime_s=900,
            clock=time.time,  # noqa: TID251  # tokens for a real server
            new_id=uuid7,
        )
        tokens = {
            str(session_id): issuer.issue(
                Grant(
                    subject=str(user.id),
                    session_id=session_id,
                    client_id="first-party",
                    roles=user.roles,
                    scopes=(),
                    epoch=user.epoch,
                )
            ).token
            for session_id in ids
        }
    remember(*list(tokens.values())[:10])
    return tokens


async def revoke(folder: Path, environment: dict[str, str], ids: Sequence[str]) -> None:
    """End sessions beside the server, as the command line does."""
    edge = Edge(load({**environment, "EDGE_DATA_DIR": str(folder / ".edge")}).or_raise())
    async with edge.stores_open():
        row = {
            "kind": "session",
            "recorded_at_ms": database_now(),
            "expires_at_ms": database_now() + _HOUR_MS,
        }
        async with edge.database.writing() as connection:
            rows = [{"subject": session_id} for session_id in ids]
            await connection.execute(insert(revocations).values(row), rows)


def workers_reached(server: EdgeServer) -> int:
    return sum(
        any(
            connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == server.port
            for connection in process.net_connections("tcp")
        )
        for process in server.processes()
    )


@contextmanager
def connected(server: EdgeServer) -> Iterator[Sequence[HTTPConnection]]:
    """Give connections that stay; for ten thousand requests, httpx takes ten times as long."""
    host, port = "127.0.0.1", server.port
    connections = [HTTPConnection(host, port, timeout=30) for _ in range(CONNECTIONS)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


def use_all(connections: Sequence[HTTPConnection], tokens: Sequence[str]) -> Counter[int]:
    """Use each token once, on all connections at a time; gives the statuses."""
    shares = [tokens[place::CONNECTIONS] for place in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return sum(pool.map(use, connections, shares), Counter[int]())


def use(connection: HTTPConnection, tokens: Sequence[str]) -> Counter[int]:
    seen: Counter[int] = Counter()
    for token in tokens:
        connection.request("GET", "/bearer-protected", headers=bearer(token))
        answer = connection.getresponse()
        answer.read()
        seen[answer.status] += 1
    return seen


async def test_ten_thousand_revoked_tokens_are_accepted_by_nobody(tmp_path: Path) -> None:
    """Each token is used, revoked and, once the bound is over, used again on both workers."""
    environment = {
        **TEST_ENVIRONMENT,
        "EDGE_ISSUER": "http://edge.test",  # for tokens made beside the server too
        "EDGE_SERVER_WORKERS": "2",
        "EDGE_REVOCATION_BOUND_S": str(BOUND_S),
    }
    before: Counter[int] = Counter()
    after: Counter[int] = Counter()
    with EdgeServer(environment, tmp_path, "--demo", start_timeout_s=60) as server:
        tokens = await live_tokens(tmp_path, environment, TOKENS)
        ids = list(tokens)
        with connected(server) as connections:
            for start in range(0, TOKENS, BATCH):
                batch = ids[start : start + BATCH]
                some = [tokens[session_id] for session_id in batch]
                before += await asyncio.to_thread(use_all, connections, some[: CONNECTIONS * 2])
                await revoke(tmp_path, environment, batch)
                await asyncio.sleep(BOUND_S)  # the promise: from here on, nobody accepts them
                after += await asyncio.to_thread(use_all, connections, some)
            reached = workers_reached(server)
    assert reached == 2
    assert before == {200: CONNECTIONS * 2 * TOKENS // BATCH}
    assert after == {401: TOKENS}


def test_with_redis_nobody_waits_for_the_bound(tmp_path: Path) -> None:
    """A logout in one worker holds in the other long before a bound of a minute is over."""
    with running_redis() as redis:
        environment = {
            **TEST_ENVIRONMENT,
            "EDGE_SERVER_WORKERS": "2",
            "EDGE_REVOCATION_BOUND_S": "60",
            "EDGE_REDIS_URL": redis.url,
        }
        with EdgeServer(environment, tmp_path, "--demo", start_timeout_s=60) as server:
            password = (tmp_path / ".edge/demo/user").read_text().strip()
            remember(password)
            body = {"username": "user", "password": password}
            answer = httpx.post(f"{server.url}/login", json=body)
            token = answer.json()["access_token"]
            remember(token, answer.json()["refresh_token"])
            clients = [httpx.Client(base_url=server.url) for _ in range(CONNECTIONS)]

            def outcomes() -> set[int]:
                headers = bearer(token)
                return {c.get("/bearer-protected", headers=headers).status_code for c in clients}

            assert outcomes() == {200}
            assert workers_reached(server) == 2
            clients[0].post("/logout", headers=bearer(token)).raise_for_status()
            server.wait_until(lambda: outcomes() == {401}, timeout_s=20)
            for client in clients:
                client.close()
