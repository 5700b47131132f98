"""Rounds of many requests at once on one small limit, each round on a window of its own."""

import asyncio
import itertools
from typing import Any, Final

from tests.support.experiment import Experiment
from tests.support.outcomes import Ask
from tests.support.quick_http import Answer

LIMIT: Final = 5
SHARED_PATH: Final = "/.well-known/jwks.json"
LOCAL_PATH: Final = "/.well-known/oauth-authorization-server"

_NUMBERS: Final = itertools.count(1)


def _policy(name: str, path: str, on_outage: str) -> dict[str, Any]:
    return {
        "name": name,
        "limit": LIMIT,
        "window_s": 3600,
        "algorithm": "log",
        "partition": ["header:x-round"],
        "paths": [path],
        "on_outage": on_outage,
    }


POLICIES: Final = [
    _policy("shared", SHARED_PATH, "deny"),
    _policy("local", LOCAL_PATH, "local"),
    # Nobody meets its limit; so that each of these requests needs a decision of Redis.
    {"name": "counted", "limit": 1_000_000, "window_s": 3600, "paths": ["/users/me"]},
]


async def hit_at_once(
    running: Experiment, hits: int, *, path: str = SHARED_PATH, most: int = LIMIT
) -> int:
    """Ask so often at the same time; gives how many were admitted.

    Whoever is admitted beyond the `most` counts as an unsafe accept.
    """
    fields = {"X-Round": str(next(_NUMBERS))}
    at_s = running.now_s()
    hit = running.http.ask
    found = await asyncio.gather(
        *(hit("GET", path, fields) for _ in range(hits)), return_exceptions=True
    )
    answers = [answer if isinstance(answer, Answer) else None for answer in found]
    admitted = [answer for answer in answers if answer and answer.is_success]
    others = [answer for answer in answers if not answer or not answer.is_success]
    for place, answer in enumerate([*admitted, *others]):
        is_right = place < min(most, len(admitted))
        running.note(Ask(path, 200 if is_right else 429, fields), answer, at_s)
    return len(admitted)
