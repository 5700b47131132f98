"""Limits shared by two workers through a real Redis, and what happens when it goes."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.redis import running_redis
from tests.support.server import EdgeServer

# The server is not measured, and to trace its clients takes longer than they do.
pytestmark = [pytest.mark.server, pytest.mark.no_cover]

LIMIT, CONNECTIONS = 100, 16
TLS = httpx.create_ssl_context()  # of no use here, but each client would read all roots anew


def policy(name: str, path: str, on_outage: str) -> dict[str, object]:
    return {
        "name": name,
        "limit": LIMIT,
        "window_s": 3600,
        "algorithm": "log",
        "paths": [path],
        "on_outage": on_outage,
    }


POLICIES = [
    policy("denied", "/", "deny"),
    policy("allowed", "/allowed", "allow"),
    policy("local", "/local", "local"),
    policy("again", "/again", "local"),
]


async def ask(server: EdgeServer, path: str, times: int) -> Counter[int]:
    """Ask over several connections, so that both workers are asked."""

    async def some(share: int) -> Counter[int]:
        async with httpx.AsyncClient(base_url=server.url, timeout=30, verify=TLS) as http:
            return Counter([(await http.get(path)).status_code for _ in range(share)])

    share = times // CONNECTIONS
    found = await asyncio.gather(*(some(share) for _ in range(CONNECTIONS)))
    return sum(found, Counter[int]())


async def test_two_workers_admit_one_limit_and_outlive_redis(tmp_path: Path) -> None:
    """Exactly the limit of both together; without Redis each policy does what it says.

    Most paths are unknown ones: they are answered 404, and limited all the same.
    """
    with running_redis() as redis:
        environment = {
            **TEST_ENVIRONMENT,
            "EDGE_SERVER_WORKERS": "2",
            "EDGE_REDIS_URL": redis.url,
            "EDGE_RATELIMIT_BUDGET_S": "1",
            "EDGE_RATELIMIT_POLICIES": json.dumps(POLICIES),
        }
        with EdgeServer(environment, tmp_path, start_timeout_s=60) as server:
            assert await ask(server, "/local", 320) == {404: LIMIT, 429: 320 - LIMIT}
            redis.stop()
            server.wait_until(lambda: "limits.away" in server.log_text())
            assert set(await ask(server, "/allowed", 320)) == {404}
            assert set(await ask(server, "/", 32)) == {503}
            seen = await ask(server, "/local", 640)
            assert seen[404] == 2 * LIMIT  # each worker by itself
            assert set(seen) == {404, 429}
            redis.start()
            server.wait_until(lambda: server.log_text().count("limits.back") >= 2)
            assert await ask(server, "/again", 320) == {404: LIMIT, 429: 320 - LIMIT}
