"""Where the tokens of a process come from: signed with the key that Edge was told of."""

import secrets
import time
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import gevent

from loadtests.issuer import read_issuer
from loadtests.tokens import Mint, Token

_BAD_SHARE: Final = 0.02

# Lets others go on: locust's heartbeats, while thousands of tokens are signed.
breathe: Final[Callable[[], None]] = partial(gevent.sleep, 0)


class TokenSource:
    """The tokens of one of so many `processes`; all scenarios of a process share the pool."""

    def __init__(self, options: Namespace, processes: int) -> None:
        self._options = options
        self._processes = processes
        self._pool: list[Token] = []

    @property
    def part(self) -> int:
        """How many of all tokens this process has."""
        return max(int(self._options.tokens) // self._processes, 1)

    def mint(self, name: str = "") -> Mint:
        """Give what makes tokens, for subjects that no other process has unless they get a name.

        Raises:
            ValueError: it was not said which key to sign with, or the file has none.
            OSError: the file cannot be read.
        """
        if not self._options.issuer_key:
            message = "no LOADTEST_ISSUER_KEY; see docs/load-testing.md"
            raise ValueError(message)
        issuer = read_issuer(Path(self._options.issuer_key))
        now_s = int(time.time())  # noqa: TID251  # what the tokens of this run say
        return Mint(issuer, name or secrets.token_hex(4), now_s, self._options.audience)

    def pool(self) -> list[Token]:
        """Give this part; two of a hundred are bad."""
        if not self._pool:
            self._pool = self.mint().pool(self.part, _BAD_SHARE, breathe)
        return self._pool

    def good(self) -> list[Token]:
        return [token for token in self.pool() if not token.refused_with]
