"""Cases that are made slower on purpose, to see the gate go red: EDGE_BENCH_INJECT=CASE:1.05,..."""

from collections.abc import Mapping
from typing import Final

INJECT: Final = "EDGE_BENCH_INJECT"


def factors(environment: Mapping[str, str]) -> dict[str, float]:
    """Give by how much each case is made slower.

    Raises:
        ValueError: it is not written as CASE:FACTOR with a factor from 1, comma between two.
    """
    return dict(_parse(part) for part in environment.get(INJECT, "").split(",") if part)


def _parse(part: str) -> tuple[str, float]:
    case, _, number = part.rpartition(":")
    try:
        factor = float(number)
    except ValueError:
        factor = 0.0
    if not case or not 1 <= factor < float("inf"):
        message = f"{INJECT}: {part!r} is not CASE:FACTOR with a factor from 1, as in verify/x:1.05"
        raise ValueError(message)
    return case, factor


def written(slower: Mapping[str, float]) -> str:
    """Give the text that `factors` reads."""
    return ",".join(f"{case}:{factor}" for case, factor in slower.items())
