"""What a file is by its name, and whether a browser may show it."""

import pytest

from edge.http.files.media import content_fields, media_type_of

OCTETS = "application/octet-stream"
# What browsers, or the programs they hand files to, are known to run or to load more for.
RUNNABLE = (
    "htm html xhtml xht shtml svg svgz xml xsl xslt rdf atom rss mht mhtml eml msg js mjs pdf swf "
    "css csv md vtt ics webmanifest hta htc vbs wasm gz zip exe php jsp docx xul"
)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.txt", "text/plain"),
        ("A.TXT", "text/plain"),
        ("a.b.png", "image/png"),
        ("a.html", "text/html"),
        ("a.css", "text/css"),
        ("a.svg", "image/svg+xml"),
        ("a.json", "application/json"),
        ("a.pdf", "application/pdf"),
        ("a.mp4", "video/mp4"),
        ("a.webp", "image/webp"),
        ("a.tar.gz", OCTETS),  # not what is packed in it
        ("README", OCTETS),
        ("txt", OCTETS),
        ("a.", OCTETS),
        ("a.unheard-of", OCTETS),
        ("a.txt ", OCTETS),
        ("data:text/html,a", OCTETS),
        ("a.\u017fvg", OCTETS),
    ],
)
def test_the_ending_says_what_it_is(name: str, media_type: str) -> None:
    """The last ending counts, in any case; what is not known is bytes."""
    assert media_type_of(name) == media_type


@pytest.mark.parametrize("ending", RUNNABLE.split())
def test_what_a_browser_might_run_is_for_saving(ending: str) -> None:
    """Pages, drawings, scripts and documents are never shown on our origin."""
    for name in (f"a.{ending}", f"a.{ending.upper()}", f"a.png.{ending}"):
        assert content_fields(name)["content-disposition"] == "attachment"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.png", "image/png"),
        ("a.jpg", "image/jpeg"),
        ("a.mp3", "audio/mpeg"),
        ("a.mp4", "video/mp4"),
    ],
)
def test_what_cannot_run_is_shown(name: str, content_type: str) -> None:
    """As nothing but what its name says; text is UTF-8."""
    assert content_fields(name) == {"content-type": content_type}
