"""Published test vectors, which lie beside the repository."""

from pathlib import Path
from typing import Final

from tests.support.requirements import missing

_FOLDER: Final = Path(__file__).parents[3] / "shared/vectors"


def vectors(name: str) -> Path:
    """Give the file or folder of this name; skips the test where there are no vectors."""
    if not _FOLDER.exists():
        missing("vectors", "the folder shared/vectors beside the repository")
    return _FOLDER / name
