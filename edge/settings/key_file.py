"""The secret key of a development machine: made once, kept in the data folder."""

import base64
import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from edge.settings.secret import SECRET_KEY_BYTES, decode_secret_key


def read_or_create(path: Path) -> bytes:
    """Give the key in this file, making it (mode 0600) where there is none.

    Raises:
        ValueError: the file holds no usable key.
        OSError: the file cannot be read or made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _create(path)
    return decode_secret_key(path.read_text(encoding="ascii"))


def _create(path: Path) -> None:
    text = base64.b64encode(secrets.token_bytes(SECRET_KEY_BYTES)).decode("ascii")
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # with mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
    # A link appears whole or not at all, and only where there is none: of two processes that
    # start at once, both use the key of the first.
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    Path(draft).unlink()
