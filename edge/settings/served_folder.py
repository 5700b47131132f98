"""What the folder whose files are for everybody may not be."""

import os
from collections.abc import Iterator
from pathlib import Path

from edge.settings.findings import Finding
from edge.settings.model import Settings


def check_served_folder(settings: Settings) -> Iterator[Finding]:
    """Find what is wrong with `files.root`."""
    root = settings.files.root
    if root is None:
        return
    if not _is_readable_folder(root):
        problem = f"names {root}, which is no folder that this process may read"
        fix = "mend the path or the rights, or leave it out"
    elif any(_overlap(root, place) for place in _places_of_secrets(settings)):
        problem = f"names {root}, which holds or is in the place of the database or EDGE_DATA_DIR"
        fix = "name a folder that has nothing in it but what anybody may read"
    else:
        return
    yield Finding("error", "EDGE_FILES_ROOT", problem, fix)


def _is_readable_folder(path: Path) -> bool:
    try:
        return path.is_dir() and os.access(path, os.R_OK | os.X_OK)
    except (OSError, ValueError):  # a name that no folder can have
        return False


def _places_of_secrets(settings: Settings) -> Iterator[Path]:
    yield settings.data_dir
    scheme, _, path = settings.database_url.partition(":///")
    if scheme == "sqlite":
        yield Path(path)


def _overlap(folder: Path, place: Path) -> bool:
    one, other = Path(os.path.realpath(folder)), Path(os.path.realpath(place))
    return one.is_relative_to(other) or other.is_relative_to(one)
