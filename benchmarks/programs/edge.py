"""Edge as it is run in production: one worker behind a proxy on this machine, with Redis."""

import base64
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.peers.agreed import APP, ISSUER, LIFETIME_S
from benchmarks.programs.cpus import measured
from benchmarks.programs.memory import folder_in_memory
from benchmarks.programs.program import (
    HOST,
    Running,
    free_port,
    is_answering,
    new_folder,
    plain_environment,
    running,
)
from benchmarks.programs.served import Served

ADMIN: Final = "bench-admin"
USER: Final = "bench-user"
TOKENS: Final = 64
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


class Prepared(msgspec.Struct, frozen=True):
    """What `benchmarks.material.prepare` made."""

    admin_tokens: list[str]
    user_tokens: list[str]
    bad_tokens: dict[str, str]


@contextmanager
def prepared_edge(redis_port: int) -> Iterator[tuple[Mapping[str, str], Prepared]]:
    """Make a database with two accounts; gives the settings to serve it by, and tokens."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-", dir=folder_in_memory()) as folder:
        environment = environment_of(Path(folder), f"redis://{HOST}:{redis_port}/0")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.material.prepare"],
            cwd=folder,
            env={**plain_environment(), **environment},
            capture_output=True,
            check=False,
        )
        if done.returncode:
            message = f"Edge cannot be prepared:\n{done.stderr.decode(errors='replace')}"
            raise RuntimeError(message)
        yield environment, msgspec.json.decode(done.stdout, type=Prepared)


@contextmanager
def serving_edge(environment: Mapping[str, str]) -> Iterator[Running]:
    """Serve what was prepared, until it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "edge", "serve", "--port", str(port)]
    is_up = is_answering("/readyz")
    with running(
        command, port, measured(), folder=new_folder(), environment=environment, is_up=is_up
    ) as found:
        yield found


@contextmanager
def running_edge(redis_port: int) -> Iterator[Served]:
    """Prepare and serve it."""
    with (
        prepared_edge(redis_port) as (environment, made),
        serving_edge(environment) as found,
    ):
        yield Served(found, made.admin_tokens, made.user_tokens, made.bad_tokens)


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
        "EDGE_TOKENS_ACCESS_LIFETIME_S": str(LIFETIME_S),
        # The least that production may have: logging in is not what is measured here.
        "EDGE_PASSWORDS_MEMORY_KIB": str(19 * 1024),
        "EDGE_PASSWORDS_TIME_COST": "2",
        "EDGE_PASSWORDS_PARALLELISM": "1",
        **of_redis,
    }
