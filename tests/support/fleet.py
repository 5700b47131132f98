"""Two replicas of Edge as they stand behind a load balancer, with users, rules and a Redis."""

import asyncio
import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from edge.settings import load
from tests.support.app import running_service
from tests.support.redis import Redis, running_redis
from tests.support.secrets import remember
from tests.support.server import EdgeServer

# As many as fit: all identity fields together have to be shorter than 4,096 bytes.
MANY_ROLES: Final = tuple(f"role-{number:03}-{'x' * 20}" for number in range(130))
USERS: Final = {"anna": ("user",), "root": ("admin",), "many": MANY_ROLES}

RULES: Final[list[dict[str, Any]]] = [
    {"name": "open", "paths": ["/livez", "/open/*"], "public": True},
    {"name": "staff", "paths": ["/staff"], "roles": ["admin"]},
    {"name": "reports", "paths": ["/reports"], "scopes": ["admin"]},
    {"name": "few", "paths": ["/few"], "public": True, "rate_policies": ["few"]},
    {"name": "all"},
]
# By address: each test has one of its own. The path is that of no route, and limited all the same.
FEW: Final = {"name": "few", "limit": 2, "window_s": 3600, "paths": ["/few"]}


class Fleet(msgspec.Struct, frozen=True):
    """The replicas, what they run with, and a password and an access token of each user."""

    replicas: tuple[EdgeServer, EdgeServer]
    environment: Mapping[str, str]
    folder: Path
    passwords: Mapping[str, str]
    tokens: Mapping[str, str]

    @property
    def ports(self) -> tuple[int, int]:
        first, second = self.replicas
        return first.port, second.port

    def are_limits_away(self) -> bool:
        """Whether a replica says in its log that it counts without Redis."""
        texts = [replica.error_text() for replica in self.replicas]
        return any(text.rfind("limits.away") > text.rfind("limits.back") for text in texts)

    def is_database_down(self) -> bool:
        """Whether a replica says at `/readyz` that it does not reach its database."""
        answers = [httpx.get(f"{replica.url}/readyz") for replica in self.replicas]
        return any(answer.json()["dependencies"]["database"] == "down" for answer in answers)

    def new_replica(self, *module: str) -> EdgeServer:
        """Give one more, to be started and ended by the test, run by `module` if it is named."""
        return EdgeServer(self.environment, self.folder, module=module or ("edge",))

    def bearer(self, user: str) -> str:
        return f"Authorization: Bearer {self.tokens[user]}"


@contextmanager
def running_fleet(
    database_url: str, folder: Path, redis: Redis | None = None, **environ: str
) -> Iterator[Fleet]:
    """Run it, with a Redis of its own if none is given; `environ` has variables without `EDGE_`."""
    with nullcontext(redis) if redis else running_redis() as counting:
        more = {f"EDGE_{name}": text for name, text in environ.items()}
        environment = {**_production(database_url, counting.url), **more}
        passwords, tokens = asyncio.run(_furnish(environment, folder))
        with EdgeServer(environment, folder) as first, EdgeServer(environment, folder) as second:
            yield Fleet((first, second), environment, folder, passwords, tokens)


def _production(database_url: str, redis_url: str) -> dict[str, str]:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    remember(key)
    return {
        "EDGE_ENVIRONMENT": "production",
        "EDGE_ISSUER": "https://id.example.com",
        "EDGE_SECRET_KEY": key,
        "EDGE_DATABASE_URL": database_url,
        "EDGE_REDIS_URL": redis_url,
        "EDGE_RATELIMIT_DEFAULTS": "false",
        "EDGE_RATELIMIT_BUDGET_S": "1",
        "EDGE_RATELIMIT_POLICIES": json.dumps([FEW]),
        "EDGE_PROXIES_TRUSTED": "127.0.0.1",
        "EDGE_ACCESS_RULES": json.dumps(RULES),
        "EDGE_TOKENS_ACCESS_LIFETIME_S": "86400",
    }


async def _furnish(
    environment: Mapping[str, str], folder: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """Make the users, and give the password and an access token of each."""
    settings = load({**environment, "EDGE_DATA_DIR": str(folder)}).or_raise()
    async with running_service(settings) as app:
        for name, roles in USERS.items():
            await app.add_user(name, roles)
        tokens = {name: (await app.login(name))["access_token"] for name in USERS}
        return app.passwords, tokens
