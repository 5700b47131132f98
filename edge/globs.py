"""Patterns for paths and hosts: in `/reports/*`, `*` stands for anything, slashes too. Pure."""

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from typing import Final

# Patterns come from settings and are few.
_MOST_GLOBS: Final = 4096


def matches_any(text: str, globs: Iterable[str]) -> bool:
    """Say whether a text is as one of the patterns says, the whole of it."""
    return any(_compiled(glob).fullmatch(text) for glob in globs)


@lru_cache(_MOST_GLOBS)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))
