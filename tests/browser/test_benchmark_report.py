"""The report of a benchmark in a real browser: by day, by night, on paper and read aloud."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from benchmarks.report import html, svg
from benchmarks.results import Comparison, Report, Verdict
from tests.support.benchmark_results import case, comparison, every_verdict, ran, without_ratio
from tests.support.browser import chromium

# One browser, and so one loop, for all: each test has a context of its own in it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

RESULTS: Final[list[Comparison | Report]] = [every_verdict(), ran()]
A4: Final = 688  # pixels between its margins of 14 mm
LOOKS: Final[list[tuple[int, dict[str, Any]]]] = [
    (400, {"color_scheme": "light"}),
    (1200, {"color_scheme": "light"}),
    (1200, {"color_scheme": "dark"}),
    (A4, {"color_scheme": "dark", "media": "print"}),
]
HOSTILE: Final = "</title></svg><img src=x onerror=hit()><script>hit()</script>'\"&amp;"

# Of any text with the ground: WCAG 2.2, success criterion 1.4.3, wants it of text of this size.
LEAST_CONTRAST: Final = 4.5
CONTRASTS: Final = """() => {
    const light = (colour) => {
        const parts = colour.match(/\\d+/g).slice(0, 3).map((part) => {
            const value = part / 255
            return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
        })
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
    const ground = light(getComputedStyle(document.body).backgroundColor)
    const of = (element) => {
        const style = getComputedStyle(element)
        const [high, low] = [ground, light(element.closest("svg") ? style.fill : style.color)]
            .sort((one, other) => other - one)
        return (high + 0.05) / (low + 0.05)
    }
    const own = (element) => [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim())
    return [...document.body.querySelectorAll("*:not(title, desc)")].filter(own)
        .map((element) => [element.textContent.trim(), of(element)])
}"""
PIXELS: Final = """async (url) => {
    const image = await createImageBitmap(await (await fetch(url)).blob())
    const canvas = new OffscreenCanvas(image.width, image.height)
    const context = canvas.getContext("2d")
    context.drawImage(image, 0, 0)
    const found = new Map()
    const pixels = new Uint32Array(
        context.getImageData(0, 0, image.width, image.height).data.buffer)
    for (let at = 0; at < pixels.length; at += 7) {
        const pixel = pixels[at]
        found.set(pixel, (found.get(pixel) ?? 0) + 7)
    }
    const [ground, count] = [...found].sort((one, other) => other[1] - one[1])[0]
    return {ground: ground & 255, share: count / pixels.length, colours: found.size}
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@asynccontextmanager
async def shown(
    browser: Browser, folder: Path, content: str, name: str = "report.html"
) -> AsyncIterator[Page]:
    """Open a file; fails where it complains, runs something or asks anybody for anything."""
    path = folder / name
    path.write_text(content)
    complaints: list[str] = []
    context = await browser.new_context()
    page = await context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))
    await page.goto(path.as_uri())
    try:
        yield page
        assert complaints == [path.as_uri()]
    finally:
        await context.close()


@pytest.mark.parametrize("result", RESULTS, ids=["comparison", "run"])
async def test_it_can_be_read_by_day_by_night_and_on_paper(
    browser: Browser, tmp_path: Path, result: Comparison | Report
) -> None:
    """All text stands out from a ground that is light or dark, and nothing is cut off."""
    async with shown(browser, tmp_path, html(result)) as page:
        for width, look in LOOKS:
            await page.set_viewport_size({"width": width, "height": 800})
            await page.emulate_media(**look)
            faint = [one for one in await page.evaluate(CONTRASTS) if one[1] < LEAST_CONTRAST]
            seen = await look_at(browser, await page.screenshot(full_page=True))

            assert faint == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            assert (seen["ground"] > 200) is (look["color_scheme"] == "light" or "media" in look)
            assert 0.75 < seen["share"] < 0.99
            assert seen["colours"] > 50


async def look_at(browser: Browser, picture: bytes) -> dict[str, float]:
    """Give which colour the ground of a screenshot has, its share, and how many there are."""
    page = await browser.new_page()
    try:
        url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        found: dict[str, float] = await page.evaluate(PIXELS, url)
    finally:
        await page.close()
    return found


@pytest.mark.parametrize("result", RESULTS, ids=["comparison", "run"])
async def test_who_listens_gets_all_of_it(
    browser: Browser, tmp_path: Path, result: Comparison | Report
) -> None:
    """Landmarks, one heading above all, tables with named rows and columns, pictures with names."""
    async with shown(browser, tmp_path, html(result)) as page:
        for landmark in ("banner", "main", "contentinfo"):
            assert await page.get_by_role(landmark).count() == 1
        assert await page.get_by_role("heading", level=1).count() == 1
        missing = await page.evaluate(
            """() => ({
                twice: [...document.querySelectorAll("[id]")].map((one) => one.id)
                    .filter((id, at, all) => all.indexOf(id) !== at),
                dangling: [...document.querySelectorAll("[aria-labelledby]")]
                    .flatMap((one) => one.getAttribute("aria-labelledby").split(" "))
                    .filter((id) => !document.getElementById(id)?.textContent),
                unscoped: [...document.querySelectorAll("th:not([scope])")].length,
                nameless: [...document.querySelectorAll("table")]
                    .filter((one) => !one.caption?.textContent).length,
                rows: [...document.querySelectorAll("tbody tr")]
                    .filter((one) => one.cells[0].scope !== "row").length,
                images: [...document.querySelectorAll("svg")]
                    .filter((one) => one.getAttribute("role") !== "img").length,
                stuck: [...document.querySelectorAll(".scroll")]
                    .filter((one) => one.tabIndex !== 0 || !one.ariaLabel).length,
            })"""
        )
        pictures = await page.get_by_role("img").count()

    assert missing == dict.fromkeys(missing, 0) | {"twice": [], "dangling": []}
    assert pictures >= 2


async def test_the_verdict_is_the_heading_and_each_case_says_its_own(
    browser: Browser, tmp_path: Path
) -> None:
    """In words, for whoever sees no colours."""
    result = every_verdict()
    async with shown(browser, tmp_path, html(result)) as page:
        heading = await page.get_by_role("heading", level=1).inner_text()
        table = page.get_by_role("table").first
        words = [
            (await row.inner_text()).split("\n") for row in await table.get_by_role("row").all()
        ]

    assert heading == "edge-bench: ▲ regressed"
    for one in result.cases:
        (row,) = (cells for cells in words if cells[0].split("\t")[0] == one.id)
        assert str(one.verdict) in row[-1]


@pytest.mark.parametrize(("name", "made"), [("r.html", html), ("r.svg", svg)])
async def test_names_and_errors_of_others_are_text(
    browser: Browser, tmp_path: Path, name: str, made: Callable[[Comparison], str]
) -> None:
    """Whatever a pull request calls its cases: it is shown, and does nothing."""
    result = comparison(
        [case(HOSTILE, Verdict.REGRESSED), without_ratio(HOSTILE, Verdict.FAILED, HOSTILE)],
        Verdict.FAILED,
        dependencies=[HOSTILE],
        control=[case(HOSTILE)],
    )
    async with shown(browser, tmp_path, made(result), name) as page:
        elements = await page.evaluate("document.querySelectorAll('script, img').length")
        text = await page.evaluate("document.documentElement.textContent")

    assert elements == 0
    assert HOSTILE in text
