"""From the path of a request to the names that lead to a file. Pure.

The path is read as it was sent. What a router hands on is decoded and has lost slashes, so that two
paths which are not the same look alike.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# No leading dot: that covers `.` and `..`, and files that are hidden, such as .env and .git.
_NAME: Final = re.compile(r"(?!\.)[^/\\\x00-\x1f\x7f-\x9f]+")


def names_in(path: bytes) -> tuple[str, ...] | None:
    """Give the names of the folders and, last, of the file; None for a path that is none of ours.

    No name is empty, begins with a dot, or has a slash, a backslash or a control character in it.
    """
    names = [name for name in map(_name, path.split(b"/")) if name is not None]
    return tuple(names) if len(names) == path.count(b"/") + 1 else None


def _name(segment: bytes) -> str | None:
    if _BROKEN_ESCAPE.search(segment):
        return None
    try:
        name = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return None
    return name if _NAME.fullmatch(name) else None
