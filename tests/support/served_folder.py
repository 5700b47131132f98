"""Stand-ins around a served folder: a slow disk, a client that stops; and what is left open."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge.http.files.folder import OpenFile, ServedFolder
from tests.support.fakes import NOW_S


@contextmanager
def serving(root: Path, clock: Callable[[], float] = lambda: NOW_S) -> Iterator[ServedFolder]:
    """Open a folder; when it closes, nothing around it is open any more."""
    folder = ServedFolder(root, clock=clock)
    with folder.opened():
        yield folder
    assert open_beneath(root.parent) == []


def open_beneath(folder: Path) -> list[str]:
    """Give what of a folder this process has open."""
    names = []
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208  # a path would not help
        with suppress(FileNotFoundError):  # the listing itself was open too
            names.append(os.readlink(f"/proc/self/fd/{number}"))  # noqa: PTH115
    return sorted(name for name in names if name.startswith(str(folder)))


async def opened(folder: ServedFolder, *names: str) -> OpenFile:
    file = await folder.open(names)
    assert file is not None, names
    return file


class Gate:
    """A clock that stands in for a slow disk: whoever asks it waits until it is let through."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self._opened = threading.Event()

    def __call__(self) -> float:
        self.entered.release()
        assert self._opened.wait(10)
        return NOW_S

    async def wait_for_visitor(self) -> None:
        assert await asyncio.to_thread(self.entered.acquire, timeout=10)

    def open(self) -> None:
        self._opened.set()


class Client:
    """Takes what is sent, until it leaves, or stops taking while still there."""

    def __init__(self, *, leaves_after: int = 2**62, stops_after: int = 2**62) -> None:
        self.messages: list[Any] = []
        self.has_left = asyncio.Event()
        self.has_some = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self._leaves_after = leaves_after
        self._stops_after = stops_after

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages)

    @property
    def is_complete(self) -> bool:
        return bool(self.messages) and not self.messages[-1]["more_body"]

    async def receive(self) -> Any:  # noqa: ANN401  # any ASGI message
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:  # noqa: ANN401  # any ASGI message
        self.messages.append(message)
        self.has_some.set()
        if len(self.messages) >= self._leaves_after:
            self.has_left.set()
        if len(self.messages) >= self._stops_after:
            await self.may_go_on.wait()
