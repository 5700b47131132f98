"""Markup in what people write: refused, made harmless, or kept as the text it is.

HTML is read by a parser, never by a regular expression: browsers see tags where none seem to be.
"""

from typing import Any, Final

import nh3
from litestar import Response
from litestar.serialization import default_serializer
from litestar.types import Serializer

_LINES: Final = {"blockquote", "br", "li", "ol", "p", "pre", "ul"}
_WORDS: Final = {"a", "b", "code", "em", "i", "s", "strong"}
# No images, which tell others who reads; no classes, styles and ids, which reach into the page.
_cleaner: Final = nh3.Cleaner(
    tags=_LINES | _WORDS,
    attributes={"a": {"href"}, "*": set()},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",  # they would lead somewhere in the site that shows the text
    link_rel="nofollow noopener noreferrer",
)
# Ends a tag that is left open, in whichever state: what follows the text in a page would do so too.
_END_OF_ANY_TAG: Final = "\"'>"


def sanitise(html: str) -> str:
    """Give the HTML with nothing left but harmless formatting and links; never fails."""
    return _cleaner.clean(html)


def has_markup(text: str) -> bool:
    """Say whether HTML would see a tag, a comment or the like in a text, at its open end too."""
    return nh3.is_html(text + _END_OF_ANY_TAG)


class TextResponse(Response[Any]):
    """JSON that holds what people wrote, without a character that HTML gives a meaning.

    Whoever takes it for HTML finds no tag in it; whoever decodes it finds every character.
    """

    def render(
        self,
        content: Any,  # noqa: ANN401  # whatever the handler gives
        media_type: str,
        enc_hook: Serializer = default_serializer,
    ) -> bytes:
        encoded = super().render(content, media_type, enc_hook)
        for character in (b"<", b">", b"&"):
            encoded = encoded.replace(character, b"\\u%04x" % ord(character))
        return encoded
