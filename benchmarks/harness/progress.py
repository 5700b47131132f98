"""How far a run is, on standard error."""

import sys
import time
from typing import Final, Protocol

import click

_ERASE_LINE: Final = "\r\x1b[K"
_EVERY_S: Final = 10  # where lines stay, as in the log of a CI job


class Progress(Protocol):
    """Is told of what a run does."""

    def expect(self, steps: int) -> None:
        """There will be that many more steps."""

    def step(self, doing: str) -> None:
        """One of them begins."""

    def say(self, message: str) -> None:
        """Something that should stay on the screen."""


class Silent:
    """Shows nothing."""

    def expect(self, steps: int) -> None:
        pass

    def step(self, doing: str) -> None:
        pass

    def say(self, message: str) -> None:
        pass


class Terminal:
    """Shows one line that changes; in a log, one every few seconds."""

    def __init__(self) -> None:
        self._steps = 0
        self._begun = 0
        self._started = self._shown = time.perf_counter()
        self._changes = sys.stderr.isatty()

    def expect(self, steps: int) -> None:
        self._steps += steps

    def step(self, doing: str) -> None:
        now = time.perf_counter()
        if self._changes or now - self._shown > _EVERY_S:
            self._shown = now
            line = f"{self._begun + 1}/{self._steps} {doing}{self._left(now)}"
            click.echo(
                f"{_ERASE_LINE}{line}" if self._changes else line, nl=not self._changes, err=True
            )
        self._begun += 1

    def say(self, message: str) -> None:
        click.echo(f"{_ERASE_LINE if self._changes else ''}{message}", err=True)

    def end(self) -> None:
        """Leave a clean line to whatever is printed next."""
        if self._changes:
            click.echo(_ERASE_LINE, nl=False, err=True)

    def _left(self, now: float) -> str:
        if not self._begun:
            return ""
        left_s = (now - self._started) / self._begun * (self._steps - self._begun)
        return f", {format_seconds(left_s)} left"


def format_seconds(seconds: float) -> str:
    """Give a duration as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
