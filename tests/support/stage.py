"""A site that shows what people wrote to a real browser, and tells all that happens there."""

import asyncio
import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from playwright.async_api import Browser, BrowserContext, Dialog, Page, Route
from playwright.async_api import Error as PageError

# The description stands in it twice: in the document, as templates put it, and set by a script.
_SHELL: Final = """<!doctype html>
<meta charset=utf-8>
<link rel=icon href=data:,>
<section>{description}</section>
<p title='{title}'>after "it"</p>
<h1 id=title></h1>
<section id=description></section>
"""
# `settle` is a round trip to the site and a frame: what loads or moves at once has begun by then.
_PLAY: Final = """async ([title, description]) => {
    const settle = async () => {
        await fetch("/settled")
        await new Promise(requestAnimationFrame)
    }
    document.getElementById("title").textContent = title
    document.getElementById("description").innerHTML = description
    await settle()
    await fetch("/clicking")
    for (const element of document.querySelectorAll("section *")) {
        for (const name in element)
            if (name.startsWith("on")) element.dispatchEvent(new Event(name.slice(2)))
        element.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}))
    }
    await settle()
    const elements = [...document.querySelectorAll("section *")]
    return {
        title: document.getElementById("title").textContent,
        attributes: elements.flatMap((element) => element.getAttributeNames()),
        is_clobbered: "shell" in window || "shell" in document,
    }
}"""


class Seen(msgspec.Struct, frozen=True):
    """What came of showing something: what ran or reached out, and what can be looked at.

    `title` is the text that the title came out as; `attributes` are those in the description;
    `broken` says why the page could not be looked at any more.
    """

    happened: tuple[str, ...]
    broken: str = ""
    title: str = ""
    attributes: frozenset[str] = frozenset()


class Stage:
    """Shows a title as text and a description as HTML, and provokes whatever lies in wait."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self._context = context
        self._site = site
        self._page: Page | None = None
        self._document = ""
        self._happened: list[str] = []
        self._is_clicking = False

    async def prepare(self) -> None:
        await self._context.expose_function("hit", self._ran)
        await self._context.route(lambda url: not url.startswith(self._site), self._elsewhere)
        self._context.on("dialog", self._dismiss)

    async def show(self, title: str, description: str) -> Seen:
        self._document = _SHELL.format(title=html.escape(title), description=description)
        self._happened, self._is_clicking = [], False
        page = self._page = self._page or await self._context.new_page()
        looked = await self._look(page, title, description)
        if page.url != self._site:
            self._happened.append(f"the page went to {page.url}")
        if looked.pop("is_clobbered", False):
            self._happened.append("a name was taken")
        seen = msgspec.convert({**looked, "happened": self._happened}, Seen)
        if seen.happened or seen.broken:  # something may go on in it
            await page.close()
            self._page = None
        return seen

    async def _look(self, page: Page, title: str, description: str) -> dict[str, Any]:
        try:
            await page.goto(self._site, wait_until="domcontentloaded")
            looked: dict[str, Any] = await page.evaluate(_PLAY, [title, description])
        except PageError as error:
            return {"broken": error.message.splitlines()[0]}
        return looked

    def answer(self, path: str) -> bytes | None:
        """Give what is at a path of the site; None where nothing is."""
        if path == "/":
            return self._document.encode()
        if path in ("/settled", "/clicking"):
            self._is_clicking = self._is_clicking or path == "/clicking"
            return b""
        self._happened.append(f"the site was asked for {path}")
        return None

    def _ran(self, *_: object) -> None:
        self._happened.append("a script ran")

    async def _elsewhere(self, route: Route) -> None:
        request = route.request
        if self._is_clicking and request.is_navigation_request():
            await route.fulfill(status=204)  # where a link leads is its own affair; we stay
            return
        self._happened.append(f"{request.url} was asked for")
        await route.fulfill(body="hit()", content_type="text/javascript")

    async def _dismiss(self, dialog: Dialog) -> None:
        self._happened.append("a dialog opened")
        await dialog.dismiss()


@asynccontextmanager
async def stage(browser: Browser) -> AsyncIterator[Stage]:
    """Open the site, and a context of the browser's for it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(64 * 1024)  # a browser sends it in one piece; or nothing at all
        if request:
            body = opened.answer(request.split()[1].decode())
            status = b"404 Not Found" if body is None else b"200 OK"
            head = b"Content-Type: text/html\r\nConnection: close\r\n\r\n"
            writer.write(b"HTTP/1.1 " + status + b"\r\n" + head + (body or b""))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    context = await browser.new_context()
    opened = Stage(context, f"http://127.0.0.1:{port}/")
    await opened.prepare()
    try:
        yield opened
    finally:
        await context.close()
        server.close()
