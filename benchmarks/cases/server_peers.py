"""What is used instead of Edge, asked the same over HTTP."""

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.case import Case
from benchmarks.programs.asking import FROM_PAGE, by_admins, by_anybody, server_cases, with_redis
from benchmarks.programs.peer import TEXTBOOK, TUNED, fastapi_on_granian, fastapi_on_uvicorn
from benchmarks.programs.served import Served
from benchmarks.programs.shared import Shared

_ADMIN_AREA: Final = by_admins("/admin-area", FROM_PAGE)


def _cases(name: str, server: Shared[Served]) -> Iterator[Case]:
    asked = {
        "admin-area": _ADMIN_AREA,
        "livez": by_anybody("/livez"),
        "401": by_admins("/admin-area", FROM_PAGE, status=401, spoil="AAAAAAAA"),
        "429": by_admins("/moderator-area", FROM_PAGE, status=429),
    }
    for what, ask in asked.items():
        yield from server_cases(f"peer/{name}/{what}", server, ask)


UVICORN: Final = with_redis(lambda redis: fastapi_on_uvicorn(TUNED, redis))
GRANIAN: Final = with_redis(lambda redis: fastapi_on_granian(TUNED, redis))
TEXTBOOK_APP: Final = with_redis(lambda redis: fastapi_on_uvicorn(TEXTBOOK, redis))

CASES: Final[Sequence[Case]] = [
    *_cases("fastapi-uvicorn", UVICORN),
    *_cases("fastapi-granian", GRANIAN),
    *server_cases("peer/fastapi-textbook/admin-area", TEXTBOOK_APP, _ADMIN_AREA),
]
