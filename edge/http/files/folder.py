"""Opening what lies beneath a folder, and nothing else.

Each name of a path is opened relative to the folder opened before it, no link is followed, and what
was opened is then looked at. So nothing is checked by a name that could mean something else a
moment later, and no path leads out: there is no `..` among the names, and a folder that is moved
away while it is looked into is still the one that was beneath.

All of it blocks, on a network share for long: it is done on threads of its own.
"""

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Final

from edge.faults import UnavailableError
from edge.reasons import Reason

# A disk answers in microseconds; a share that hangs takes no more threads than these.
_THREADS: Final = 4

_ON_THE_WAY: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY
# Opening a pipe would else wait for somebody to write to it.
_AT_THE_END: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

# There is no such file, or none for us. Which of them it is, is nobody's business.
_NOT_THERE: Final = frozenset(
    {
        errno.EACCES,
        errno.EILSEQ,
        errno.EINVAL,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENODEV,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ENXIO,
        errno.EPERM,
    }
)


class OpenFile:
    """A regular file. Whoever has it closes it.

    `size` and `mtime_ns` are what they were when it was opened, which was at `opened_s`.
    """

    def __init__(
        self, file: FileIO, status: os.stat_result, opened_s: float, threads: ThreadPoolExecutor
    ) -> None:
        self.size = status.st_size
        self.mtime_ns = status.st_mtime_ns
        self.opened_s = opened_s
        self._file = file
        self._threads = threads

    async def read(self, start: int, length: int) -> bytes:
        """Read so many bytes, or fewer; none at the end of the file."""
        # If nobody waits for it any more and the file is closed under it, no harm is done: it moves
        # no position of whatever has that number by then.
        read = partial(os.pread, self._file.fileno(), length, start)
        return await asyncio.get_running_loop().run_in_executor(self._threads, read)

    def close(self) -> None:
        self._file.close()


class ServedFolder:
    """The folder `root`, while `opened`. `clock` gives the time of day.

    It is opened once: the same folder is served until Edge stops, whatever its name then leads to.
    """

    def __init__(self, root: Path, *, clock: Callable[[], float]) -> None:
        self._path = root
        self._clock = clock

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make files available.

        Raises:
            OSError: the folder is not there, or not for us.
        """
        self._root = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with ThreadPoolExecutor(_THREADS, thread_name_prefix="files") as self._threads:
                yield
        finally:
            os.close(self._root)

    async def open(self, names: Sequence[str]) -> OpenFile | None:
        """Open a file; None where there is no regular file of these names.

        Raises:
            UnavailableError: the disk is broken, or this process has too many files open.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._open, names)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise UnavailableError(Reason.FILES_UNAVAILABLE) from error

    def _open(self, names: Sequence[str]) -> OpenFile | None:
        file = FileIO(names[-1], opener=lambda *_: open_beneath(self._root, names))
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return OpenFile(file, status, self._clock(), self._threads)
        file.close()
        return None


def open_beneath(folder: int, names: Sequence[str]) -> int:
    """Open what these names lead to, for reading; never through a link, never waiting for a pipe.

    Raises:
        OSError: there is nothing, or a link is on the way.
    """
    current = folder
    try:
        for name in names[:-1]:
            inner = os.open(name, _ON_THE_WAY, dir_fd=current)
            if current != folder:
                os.close(current)
            current = inner
        return os.open(names[-1], _AT_THE_END, dir_fd=current)
    finally:
        if current != folder:
            os.close(current)
