"""Edge as it is run in production: one worker behind a proxy on this machine, with Redis."""

import base64
import http.client
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import msgspec

from benchmarks.peers.agreed import APP, ISSUER
from benchmarks.programs.cpus import measured
from benchmarks.programs.program import (
    HOST,
    free_port,
    is_answering,
    new_folder,
    plain_environment,
    running,
)
from benchmarks.programs.served import Served

ADMIN: Final = "bench-admin"
USER: Final = "bench-user"
PASSWORD: Final = "a-lamp-of-seven-dolphins"  # noqa: S105  # of accounts that are gone in a minute

# Windows that no measurement fills, and one that is full after its first request.
CONFIG: Final = """
[ratelimit]
defaults = false

[[ratelimit.policies]]
name = "bench"
limit = 1000000000
window_s = 60
partition = ["principal"]
paths = ["/*"]

[[ratelimit.policies]]
name = "full"
limit = 1
window_s = 86400
partition = ["global"]
paths = ["/moderator-area"]

[[access.rules]]
name = "all"
paths = ["/*"]
rate_policies = ["bench"]
"""
_FROM_PROXY: Final = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}


@contextmanager
def running_edge(redis_port: int, *, tokens: int = 8) -> Iterator[Served]:
    """Start it with two accounts, an admin and a user, and log each in a few times."""
    folder, port = new_folder(), free_port()
    environment = environment_of(folder, f"redis://{HOST}:{redis_port}/0")
    _edge(folder, environment, "db", "upgrade")
    _edge(folder, environment, "users", "add", ADMIN, "--role", "admin", "--role", "moderator")
    _edge(folder, environment, "users", "add", USER, "--role", "user")
    command = [sys.executable, "-m", "edge", "serve", "--port", str(port)]
    with running(
        command,
        port,
        measured(),
        folder=folder,
        environment=environment,
        is_up=is_answering("/readyz"),
    ) as found:
        yield Served(
            found,
            [_log_in(port, ADMIN) for _ in range(tokens)],
            [_log_in(port, USER) for _ in range(tokens)],
        )


def environment_of(folder: Path, redis_url: str = "") -> dict[str, str]:
    """Give the settings, of which the longer ones are in a file of the folder."""
    config = folder / "edge.toml"
    config.write_text(CONFIG)
    of_redis = {"EDGE_REDIS_URL": redis_url} if redis_url else {}
    return {
        "EDGE_ENVIRONMENT": "production",
        "EDGE_ISSUER": ISSUER,
        "EDGE_SECRET_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "EDGE_DATA_DIR": str(folder),
        "EDGE_CONFIG": str(config),
        "EDGE_PROXIES_TRUSTED": HOST,
        "EDGE_CORS_ALLOW_ORIGINS": APP,
        # The least that production may have: logging in is not what is measured here.
        "EDGE_PASSWORDS_MEMORY_KIB": str(19 * 1024),
        "EDGE_PASSWORDS_TIME_COST": "2",
        "EDGE_PASSWORDS_PARALLELISM": "1",
        **of_redis,
    }


def _edge(folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603  # ours
        [sys.executable, "-m", "edge", *arguments],
        cwd=folder,
        env={**plain_environment(), **environment},
        input=PASSWORD + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"edge {' '.join(arguments)}: {done.stderr}"
        raise RuntimeError(message)


def _log_in(port: int, username: str) -> str:
    asked = {"grant_type": "password", "username": username, "password": PASSWORD}
    form = {"Content-Type": "application/x-www-form-urlencoded", **_FROM_PROXY}
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    connection.request("POST", "/token", urlencode(asked), form)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != http.HTTPStatus.OK:
        message = f"{username} cannot log in: {answer.status} {body.decode()}"
        raise RuntimeError(message)
    return str(msgspec.json.decode(body)["access_token"])
