"""All cases, by theme.

A module that asks for what the product does not have is left out, and kept in `UNREADABLE`: that is
how a case looks to the code of a commit that is older than what it measures.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Final

from benchmarks.case import Case

_MODULES: Final = (
    "tokens",
    "token_floors",
    "token_peers",
    "refusals",
    "issuing",
    "sessions",
    "limits",
    "redis_limits",
    "limit_floors",
    "limit_peers",
    "http",
    "bodies",
    "server",
    "server_floors",
    "server_peers",
    "process",
)

UNREADABLE: Final[dict[str, ImportError]] = {}


def _read() -> Iterator[Case]:
    for name in _MODULES:
        try:
            module = import_module(f"{__name__}.{name}")
        except ImportError as error:
            UNREADABLE[name] = error
        else:
            yield from module.CASES


CASES: Final[Sequence[Case]] = list(_read())
