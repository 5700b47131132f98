"""Edge on a clock that is wrong, and that can be set while it runs.

    python -m tests.support.shifted FILE serve

How many seconds it is fast stands in the file, as `set_shift` writes it. Only the time of day is
wrong, as it is on a machine whose clock was set badly: what never runs backwards is left alone.
"""

import mmap
import runpy
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_SECONDS: Final = struct.Struct("<d")


def set_shift(file: Path, seconds: float) -> None:
    """Set by how many seconds the clock is fast; a running server has it at once."""
    if not file.exists():
        file.write_bytes(_SECONDS.pack(0))
    with file.open("r+b") as opened:  # in place: a server reads what it has mapped
        opened.write(_SECONDS.pack(seconds))


def shifted(file: Path) -> Callable[[], float]:
    """Give a clock that is as fast as the file says."""
    now = time.time  # noqa: TID251  # the clock that is made wrong
    with file.open("rb") as opened:
        shift = mmap.mmap(opened.fileno(), _SECONDS.size, access=mmap.ACCESS_READ)
    return lambda: now() + float(_SECONDS.unpack_from(shift)[0])


if __name__ == "__main__":
    time.time = shifted(Path(sys.argv[1]))  # noqa: TID251
    sys.argv = ["edge", *sys.argv[2:]]
    runpy.run_module("edge", run_name="__main__", alter_sys=True)
