"""HTML and SVG that are safe by construction: what is not `Markup` already is escaped."""

import html


class Markup(str):
    """Text that is markup: it comes from `tag` or from a file of this package."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str | float) -> Markup:
    """Give an element; `class_` and `aria_label` are the attributes `class` and `aria-label`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{''.join(map(escaped, children))}</{name}>")


def lines(*parts: str) -> Markup:
    """Give parts with a line each."""
    return Markup("\n".join(map(escaped, parts)))


def escaped(text: str) -> Markup:
    """Give text as markup that shows it; control characters, which XML forbids, are blanks."""
    return text if isinstance(text, Markup) else Markup(html.escape(printable(text)))


def printable(text: str) -> str:
    """Give text in one line, without what moves a cursor, turns a line around or breaks XML."""
    return "".join(one if one.isprintable() else " " for one in text)


def shortened(label: str, most: int = 40) -> str:
    """Give a text that is not too long to show: its end tells more than its middle."""
    if len(label) <= most:
        return label
    half = (most - 1) // 2
    return f"{label[:half]}…{label[-half:]}"


def _value(value: str | float) -> str:
    # A tenth of a pixel is as near as anybody looks, and keeps the files small.
    return html.escape(printable(value)) if isinstance(value, str) else f"{value:.1f}"
