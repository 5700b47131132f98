"""Edge as a service: a Litestar app with the plugin and nothing else."""

import os
from collections.abc import Awaitable
from typing import Final

from litestar import Litestar
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp, Receive, Scope, Send

from edge.composition import VERSION
from edge.plugin import EdgePlugin
from edge.settings import Settings, load
from edge.telemetry.board import Board
from edge.telemetry.draining import Draining

_REQUESTS: Final = ("http", "websocket")
_DESCRIPTION: Final = (
    "Logins, tokens, roles and limits. Errors are problem documents (RFC 9457), whose `code` never"
    " changes; those of OAuth have the form of RFC 6749."
)


def create_app(
    settings: Settings | None = None,
    draining: Draining | None = None,
    board: Board | None = None,
) -> Litestar:
    """Build the service; without settings, from the environment.

    `draining` and `board` are shared with the server that runs it, where there is one.

    Raises:
        SettingsError: the settings cannot be run with; holds every problem.
    """
    if settings is None:
        settings = load(os.environ).or_raise()
    return Litestar(
        plugins=[EdgePlugin(settings, draining=draining, board=board)],
        openapi_config=_openapi(settings) if settings.shows_docs else None,
    )


def entry(app: Litestar) -> ASGIApp:
    """Give what a server calls: the service without the coroutine that Litestar has around it.

    There it would run hooks on what is sent, of which the service has none.
    """

    def answer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] not in _REQUESTS:
            return app(scope, receive, send)  # the lifespan
        scope["app"] = scope["litestar_app"] = app
        scope.setdefault("state", {})
        return app.asgi_handler(scope, receive, send)

    return answer


def _openapi(settings: Settings) -> OpenAPIConfig:
    return OpenAPIConfig(
        title=settings.service_name,
        version=VERSION,
        description=_DESCRIPTION,
        render_plugins=[JsonRenderPlugin()],  # the one that loads nothing from elsewhere
    )
