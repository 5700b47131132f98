"""Memory as a place for files that nobody needs after the run: to sync a disk takes far longer."""

import os
import shutil
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # its folders are made by mkdtemp and by pytest
_MEMORY_NEEDED_BYTES: Final = 2 * 1024**3


def folder_in_memory() -> Path | None:
    """Give a folder in memory, where there is enough of it."""
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK):
        return _MEMORY if shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED_BYTES else None
    return None
