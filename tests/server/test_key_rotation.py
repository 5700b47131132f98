"""Signing keys exchanged under load, with two workers of a real server."""

import asyncio
import base64
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.app import TEST_ENVIRONMENT, bearer
from tests.support.secrets import remember
from tests.support.server import EdgeServer

# The server is not measured, and to trace its clients takes longer than they do.
pytestmark = [pytest.mark.server, pytest.mark.no_cover]

CONNECTIONS = 8
LIFETIME_S = 10
# So short that a whole rotation fits into a test: keys are published for one second.
QUICK = {
    **TEST_ENVIRONMENT,
    "EDGE_SERVER_WORKERS": "2",
    "EDGE_TOKENS_JWKS_MAX_AGE_S": "0",
    "EDGE_TOKENS_KEY_SKEW_S": "0",
    "EDGE_TOKENS_KEY_RELOAD_S": "1",
    "EDGE_TOKENS_ACCESS_LIFETIME_S": str(LIFETIME_S),
    "EDGE_TOKENS_LEEWAY_S": "0",
    "EDGE_REVOCATION_BOUND_S": "0.5",
}


def part_of(token: str, position: int) -> dict[str, Any]:
    part = token.split(".")[position]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def has_expired(token: str, answer: httpx.Response) -> bool:
    """Say whether the token had expired when the server answered, by the server's own clock."""
    answered_at = parsedate_to_datetime(answer.headers["date"]).timestamp()
    return bool(answered_at >= part_of(token, 1)["exp"])


class Edge:
    """A server, its command line, and a user who uses tokens without a pause."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self.server = EdgeServer(self.environment, folder, "--demo", start_timeout_s=60)
        self.tokens: list[str] = []
        self.has_accepted = asyncio.Event()
        self.refused: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()

    def keys(self, *arguments: str) -> str:
        return self.server.command("keys", *arguments)

    def states(self) -> dict[str, str]:
        return {key["kid"]: key["state"] for key in json.loads(self.keys("list", "--json"))}

    def kid_that_is(self, state: str) -> str:
        [kid] = [kid for kid, its_state in self.states().items() if its_state == state]
        return kid

    async def log_in(self, http: httpx.AsyncClient) -> dict[str, str]:
        password = (self.folder / ".edge/demo/user").read_text().strip()
        answer = await http.post("/login", json={"username": "user", "password": password})
        return self.taken(answer)

    async def work(self, until: asyncio.Event) -> None:
        """Refresh and use tokens, new ones and those of before, until told to stop."""
        async with httpx.AsyncClient(base_url=self.server.url, timeout=30) as http:
            session = await self.log_in(http)
            while not until.is_set():
                answer = await http.post(
                    "/refresh-token", json={"refresh_token": session["refresh_token"]}
                )
                session = self.taken(answer)
                for token in self.tokens[-40::10]:
                    await self.use(http, token)

    async def use(self, http: httpx.AsyncClient, token: str) -> None:
        answer = await http.get("/users/me", headers=bearer(token))
        kid = part_of(token, 0)["kid"]
        if answer.status_code == 200:
            self.accepted[kid] += 1
            self.has_accepted.set()
        elif not has_expired(token, answer):
            self.refused[kid] += 1
        assert answer.status_code in (200, 401), answer.text

    def taken(self, answer: httpx.Response) -> dict[str, str]:
        assert answer.status_code == 200, answer.text
        tokens: dict[str, str] = answer.json()
        remember(tokens["access_token"], tokens["refresh_token"])
        self.tokens.append(tokens["access_token"])
        return tokens

    def workers_reached(self) -> int:
        """Count the processes that hold a connection of ours."""
        return sum(
            any(
                connection.status == psutil.CONN_ESTABLISHED
                and connection.laddr.port == self.server.port
                for connection in process.net_connections("tcp")
            )
            for process in self.server.processes()
        )


async def test_a_rotation_under_load_refuses_no_valid_token(tmp_path: Path) -> None:
    """From a new key's making to the old one's retirement, every living token is accepted."""
    edge = Edge(tmp_path, QUICK)
    with edge.server:
        old = edge.kid_that_is("active")
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(edge.work(stop))
            await asyncio.to_thread(edge.keys, "rotate")
            states = await asyncio.to_thread(edge.states)
            while states[old] != "retired":
                await asyncio.sleep(0.2)
                states = await asyncio.to_thread(edge.states)
            reached = edge.workers_reached()
            stop.set()
        new = edge.kid_that_is("active")
    assert reached == 2
    assert new != old
    assert edge.refused == {}
    assert edge.accepted[old] > 100
    assert edge.accepted[new] > 100


async def test_tokens_of_a_key_retired_by_hand_are_accepted_by_nobody(tmp_path: Path) -> None:
    """An emergency: once the bound is over, no worker takes a token of the old key."""
    edge = Edge(tmp_path, {**QUICK, "EDGE_TOKENS_ACCESS_LIFETIME_S": "900"})
    with edge.server:
        old = edge.kid_that_is("active")
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(edge.work(stop))
            await edge.has_accepted.wait()
            await asyncio.to_thread(edge.keys, "rotate", "--now")
            assert edge.refused == {}
            await asyncio.to_thread(edge.keys, "retire", old, "--now")
            await asyncio.sleep(float(QUICK["EDGE_REVOCATION_BOUND_S"]))
            stop.set()
        edge.accepted.clear()
        edge.refused.clear()
        await use_all(edge, [token for token in edge.tokens if part_of(token, 0)["kid"] == old])
        await use_all(edge, [token for token in edge.tokens if part_of(token, 0)["kid"] != old])
        new = edge.kid_that_is("active")
    assert edge.accepted[old] == 0
    assert edge.refused[old] > 0
    assert edge.accepted[new] > 0
    assert edge.refused[new] == 0


async def use_all(edge: Edge, tokens: list[str]) -> None:
    async def use(some: list[str]) -> None:
        async with httpx.AsyncClient(base_url=edge.server.url, timeout=30) as http:
            for token in some:
                await edge.use(http, token)

    await asyncio.gather(*(use(tokens[start::CONNECTIONS]) for start in range(CONNECTIONS)))


async def test_the_secret_key_is_exchanged_and_nobody_notices(tmp_path: Path) -> None:
    """Through all steps of the exchange, sessions go on and access tokens stay good."""
    old, new = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    remember(old, new)
    steps: list[tuple[Mapping[str, str], list[str]]] = [
        ({"EDGE_SECRET_KEY": old}, []),
        ({"EDGE_SECRET_KEY": old, "EDGE_SECRET_KEY_PREVIOUS": new}, []),
        ({"EDGE_SECRET_KEY": new, "EDGE_SECRET_KEY_PREVIOUS": old}, ["reseal"]),
        ({"EDGE_SECRET_KEY": new}, []),
    ]
    session: dict[str, str] = {}
    for environment, command in steps:
        # Each has a port of its own, and is the same Edge all the same.
        issuer = {"EDGE_ISSUER": "http://edge.test"}
        edge = Edge(tmp_path, {**TEST_ENVIRONMENT, **issuer, **environment})
        with edge.server:
            async with httpx.AsyncClient(base_url=edge.server.url, timeout=30) as http:
                if not session:
                    session = await edge.log_in(http)
                await edge.use(http, session["access_token"])
                answer = await http.post(
                    "/refresh-token", json={"refresh_token": session["refresh_token"]}
                )
                session = edge.taken(answer)
            if command:
                edge.keys(*command)
        assert edge.accepted.total() == 1
