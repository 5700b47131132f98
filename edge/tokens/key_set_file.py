"""Key sets in files, for providers that cannot be reached from here."""

import asyncio
from pathlib import Path

from edge.tokens.key_sets import FetchError


class FileKeySet:
    """A key set in a file, read again each time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self) -> bytes:
        try:
            return await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            message = f"it cannot be read: {error.strerror}"
            raise FetchError(message) from error

    async def close(self) -> None:
        """There is nothing open."""
