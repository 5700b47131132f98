"""Opening something once for all who use it at the same time."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Generic, TypeVar

_Opened = TypeVar("_Opened")


class Shared(Generic[_Opened]):
    """Is opened for the first who uses it, and closed after the last."""

    def __init__(self, opening: Callable[[], AbstractContextManager[_Opened]]) -> None:
        self._opening = opening
        self._users = 0
        self._stack = ExitStack()
        self._opened: list[_Opened] = []

    @contextmanager
    def use(self) -> Iterator[_Opened]:
        """Give what is open."""
        if not self._users:
            self._opened = [self._stack.enter_context(self._opening())]
        self._users += 1
        try:
            yield self._opened[0]
        finally:
            self._users -= 1
            if not self._users:
                self._stack.close()
