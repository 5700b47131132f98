"""Edge as an app in this process, with the settings that the served one has, but for Redis."""

import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from litestar import Litestar

from benchmarks.material.exchange import exchange
from benchmarks.programs.edge import ADMIN, PASSWORD, environment_of
from benchmarks.programs.memory import folder_in_memory
from edge import create_app
from edge.accounts.user import User
from edge.plugin import EdgePlugin
from edge.settings import Settings, load
from edge.telemetry import logs

_TOKENS = 64


class Service(msgspec.Struct, frozen=True):
    """The app, and what an admin may ask it with."""

    app: Litestar
    tokens: Sequence[str]

    @property
    def basic(self) -> str:
        """Give the admin's `Authorization` field of HTTP Basic."""
        return f"Basic {b64encode(f'{ADMIN}:{PASSWORD}'.encode()).decode()}"


def settings_in(folder: Path) -> Settings:
    """Give the settings; in development the database is made at the start, and hashes are cheap."""
    changed = {
        "EDGE_ENVIRONMENT": "development",
        "EDGE_DOCS": "off",
        "EDGE_PASSWORDS_MEMORY_KIB": "64",
        "EDGE_PASSWORDS_TIME_COST": "1",
    }
    return load({**environment_of(folder), **changed}).or_raise()


@asynccontextmanager
async def running_service() -> AsyncIterator[Service]:
    """Start it, with one account. It logs no refusals: a terminal would be what is measured."""
    logs.configure("error", as_json=True)
    with tempfile.TemporaryDirectory(prefix="edge-bench-", dir=folder_in_memory()) as folder:
        app = create_app(settings_in(Path(folder)))
        async with app.lifespan():
            edge = app.plugins.get(EdgePlugin).edge
            user = await edge.accounts.add(ADMIN, PASSWORD, roles=["admin", "moderator"])
            if not isinstance(user, User):
                message = f"{ADMIN} cannot be added: {user}"
                raise RuntimeError(message)  # noqa: TRY004  # the account is at fault, not a type
            yield Service(app, [await _log_in(app) for _ in range(_TOKENS)])


async def _log_in(app: Litestar) -> str:
    asked = {"grant_type": "password", "username": ADMIN, "password": PASSWORD}
    form = {"content-type": "application/x-www-form-urlencoded"}
    request = exchange("/token", form, method="POST", body=urlencode(asked).encode())
    answer = await request.run(app)
    if answer.status != 200:  # noqa: PLR2004
        message = f"{ADMIN} cannot log in: {answer.status} {answer.body.decode()}"
        raise RuntimeError(message)
    return str(msgspec.json.decode(answer.body)["access_token"])
