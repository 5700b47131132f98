"""Fresh databases of both kinds, made quickly by copying a migrated one."""

import asyncio
import shutil
from pathlib import Path

from tests.support.postgres import migrate

KINDS = ("sqlite", "postgres")


class SqliteTemplate:
    """A migrated SQLite file, made when it is first wanted."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.db"

    def copy_to(self, path: Path) -> str:
        """Put a copy at this path; gives its URL."""
        if not self._file.exists():
            self._make()
        shutil.copyfile(self._file, path)
        return f"sqlite:///{path}"

    def _make(self) -> None:
        draft = self._file.with_suffix(".draft")
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(migrate(f"sqlite:///{draft}"))
        draft.rename(self._file)  # closed, it has no write-ahead log beside it
