"""Logs: one JSON object a line, or readable lines for a person at a terminal, to standard error.

Everything goes through one handler of the standard library, the server's own lines too.
"""

import logging
import logging.config
import sys
from typing import Any, Final

import msgspec
import structlog
from structlog.typing import Processor

from edge.telemetry.events import SecurityEvent

_SECURITY: Final = "edge.security"

_shared: Final[list[Processor]] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str, *, as_json: bool) -> None:
    """Set up logging for this process; to be called once, by whoever starts it."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(server_config(level, as_json=as_json))


def server_config(level: str, *, as_json: bool) -> dict[str, Any]:
    """Give the set-up as `logging.config.dictConfig` takes it; Granian's workers apply it too."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"edge": {"()": _formatter, "as_json": as_json}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "edge",
            }
        },
        "root": {"level": level.upper(), "handlers": ["stderr"]},
        "loggers": {
            "_granian": {"level": level.upper(), "handlers": [], "propagate": True},
            "granian.access": {"handlers": [], "propagate": True},
            # Its DEBUG and INFO lines hold statements with their parameters.
            "sqlalchemy": {"level": "WARNING"},
            "aiosqlite": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},
        },
    }


def record(event: SecurityEvent) -> None:
    """Log a security event; the `Record` of the service."""
    fields = msgspec.to_builtins(event)
    structlog.stdlib.get_logger(_SECURITY).info(event.name, **fields)


def _formatter(*, as_json: bool) -> logging.Formatter:
    # No rich tracebacks: they print the local variables, passwords among them.
    ending: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
    )
