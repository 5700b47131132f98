"""What a file is by its name, and whether a browser may show it on our origin. Pure.

A page, a drawing or a script that is shown there could act as whoever looks at it. So what may be
shown is listed, and everything else is offered for saving.
"""

from mimetypes import MimeTypes
from typing import Final

UNKNOWN: Final = "application/octet-stream"

# Of Python alone: with the table of the machine (/etc/mime.types), replicas would differ.
_PYTHONS: Final = MimeTypes()
_TYPES: Final = {**_PYTHONS.types_map[False], **_PYTHONS.types_map[True]}

# Nothing in these runs, as long as the browser does not take them for something else (nosniff).
_SHOWN: Final = frozenset({"application/json", "text/plain"})
_SHOWN_FAMILIES: Final = ("image/", "audio/", "video/")
# A picture that is a document, with scripts.
_SVG: Final = "image/svg+xml"


def media_type_of(name: str) -> str:
    _, dot, ending = name.rpartition(".")
    return _TYPES.get(dot + ending.lower(), UNKNOWN)


def content_fields(name: str) -> dict[str, str]:
    """Tell a browser what a file is, and to save it if it might run.

    What to save it as is not told: the last name of the URL is what browsers take.
    """
    media_type = media_type_of(name)
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    fields = {"content-type": media_type + charset}
    return fields if _is_shown(media_type) else {**fields, "content-disposition": "attachment"}


def _is_shown(media_type: str) -> bool:
    is_family = media_type.startswith(_SHOWN_FAMILIES) and media_type != _SVG
    return is_family or media_type in _SHOWN
