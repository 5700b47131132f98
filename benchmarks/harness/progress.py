"""How far a run is, on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

_ERASE_LINE: Final = "\r\x1b[K"
_EVERY_S: Final = 10  # where lines stay, as in the log of a CI job


class Progress:
    """Shows one line that changes; in a log, one every few seconds."""

    def __init__(self) -> None:
        self._steps = 0
        self._begun = 0
        self._started = self._shown = time.perf_counter()
        self._is_one_line = sys.stderr.isatty()

    def expect(self, steps: int) -> None:
        """There will be that many more steps."""
        self._steps += steps

    def step(self, doing: str) -> None:
        """One of them begins."""
        now = time.perf_counter()
        if not self._begun:
            self._started = now
        if self._is_one_line or now - self._shown > _EVERY_S:
            self._shown = now
            self._write(f"{self._begun + 1}/{self._steps} {doing}{self._left(now)}", stays=False)
        self._begun += 1

    def say(self, message: str) -> None:
        """Show something that should stay."""
        self._write(message, stays=True)

    def end(self) -> None:
        """Leave a clean line to whatever is printed next."""
        self._write("", stays=False)

    def _write(self, line: str, *, stays: bool) -> None:
        if self._is_one_line:
            click.echo(f"{_ERASE_LINE}{line}", nl=stays, err=True)
        elif line:
            click.echo(line, err=True)

    def _left(self, now: float) -> str:
        if not self._begun:
            return ""
        left_s = (now - self._started) / self._begun * (self._steps - self._begun)
        return f", {duration(left_s)} left"


@contextmanager
def shown() -> Iterator[Progress]:
    """Show progress until this is left."""
    progress = Progress()
    try:
        yield progress
    finally:
        progress.end()


def duration(seconds: float) -> str:
    """Give a duration as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def counted(number: int, what: str) -> str:
    """Give how many there are: "1 case", "2 cases"."""
    return f"{number} {what}{'' if number == 1 else 's'}"
