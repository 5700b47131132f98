"""Counts of several processes in memory that they share, so that none is lost with its process.

Each process has a region of its own and is the only one that writes to it. It keeps the region by
a lock, which the kernel takes back however the process ends; the next one then counts on from
there. So a count is in place as soon as it was made, and never becomes less.
"""

import fcntl
import mmap
import os
import tempfile
import weakref
from typing import Final

import msgspec
import structlog

_log = structlog.stdlib.get_logger("edge.telemetry")

_NUMBER_BYTES: Final = 8
_LENGTH_BYTES: Final = 2
# At the front: how many series there are, and when the owner was last there.
_COUNT: Final = 0
_SEEN: Final = 1
_HEAD: Final = 2
# Room for about 3,000 series, which is 400 routes; memory is taken only where it is written to.
_NUMBERS: Final = 16_384
_NAMES_BYTES: Final = 384 * 1024
_REGION_BYTES: Final = _NUMBERS * _NUMBER_BYTES + _NAMES_BYTES
# Wider than any series. What finds no room counts here, where nobody looks.
_LOST: Final = _NUMBERS - 64


class Series(msgspec.Struct, frozen=True, array_like=True):
    """The numbers of one metric with certain values of its labels."""

    name: str
    labels: tuple[str, ...]
    width: int


class Region:
    """The numbers of one process. `places` says where those of each series begin."""

    def __init__(self, memory: memoryview) -> None:
        self.numbers = memory[: _NUMBERS * _NUMBER_BYTES].cast("d")
        self._names = memory[_NUMBERS * _NUMBER_BYTES :]
        self.places: dict[Series, int] = {}
        self._free_number, self._free_byte = _HEAD, 0
        for _ in range(int(self.numbers[_COUNT])):
            begin = self._free_byte + _LENGTH_BYTES
            end = begin + int.from_bytes(self._names[self._free_byte : begin], "big")
            self._put(msgspec.json.decode(self._names[begin:end], type=Series), end)

    @property
    def seen_at_s(self) -> float:
        """When its owner was last there, by its monotonic clock; 0 for never."""
        return self.numbers[_SEEN]

    def see(self, now_s: float) -> None:
        self.numbers[_SEEN] = now_s

    def place(self, series: Series) -> int:
        """Give where the numbers of a series begin, making room for a new one."""
        known = self.places.get(series)
        return self._append(series) if known is None else known

    def _append(self, series: Series) -> int:
        name = msgspec.json.encode(series)
        begin = self._free_byte + _LENGTH_BYTES
        end = begin + len(name)
        if self._free_number + series.width > _LOST or end > _NAMES_BYTES:
            _log.error("a metric found no room", metric=series.name, labels=series.labels)
            return _LOST
        self._names[self._free_byte : begin] = len(name).to_bytes(_LENGTH_BYTES, "big")
        self._names[begin:end] = name
        self._put(series, end)
        self.numbers[_COUNT] += 1  # last: whoever reads meanwhile sees whole names only
        return self.places[series]

    def _put(self, series: Series, end: int) -> None:
        self.places[series] = self._free_number
        self._free_number += series.width
        self._free_byte = end


class Reading(msgspec.Struct, frozen=True):
    """A region as somebody else sees it."""

    region: Region
    is_alive: bool


class Board:
    """Regions for so many `processes` at a time, which are forked after it was made."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._file = _file_without_name()
        weakref.finalize(self, os.close, self._file)
        os.ftruncate(self._file, processes * _REGION_BYTES)
        self._memory = memoryview(mmap.mmap(self._file, processes * _REGION_BYTES))
        self._own: tuple[int, int] | None = None

    def claim(self) -> Region | None:
        """Give this process a region until it ends; None where all are taken."""
        for number in range(self._processes):
            if self._lock(number):
                self._own = os.getpid(), number
                return self._region(number)
        return None

    def read(self) -> list[Reading]:
        """Give what all processes have counted, also those that are no more."""
        return [
            Reading(self._region(number), self._is_alive(number))
            for number in range(self._processes)
        ]

    def _region(self, number: int) -> Region:
        return Region(self._memory[number * _REGION_BYTES : (number + 1) * _REGION_BYTES])

    def _is_alive(self, number: int) -> bool:
        if self._own == (os.getpid(), number):  # trying the lock would give it away
            return True
        if not self._lock(number):
            return True
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)
        return False

    def _lock(self, number: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return False
        return True


def private_region() -> Region:
    """Give a region that no other process sees."""
    return Region(memoryview(bytearray(_REGION_BYTES)))


def _file_without_name() -> int:
    if hasattr(os, "memfd_create"):  # Linux; needs no folder that may be written to
        return os.memfd_create("edge-metrics")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
