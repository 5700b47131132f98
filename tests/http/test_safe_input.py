"""`POST /safe-input`: markup is refused or made harmless, and text is left as it is."""

from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.http.markup import sanitise
from edge.settings import Settings
from tests.support.app import RunningApp, running_service
from tests.support.xss_payloads import FAMILIES

PAYLOADS = [payload for family in FAMILIES.values() for payload in family]


async def post(app: RunningApp, **fields: Any) -> httpx.Response:  # noqa: ANN401  # any JSON
    return await app.http.post("/safe-input", json={"title": "a title", **fields})


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"title": ""}, ["/title"]),
        ({"title": "x" * 101}, ["/title"]),
        ({"title": 7}, ["/title"]),
        ({"title": None}, ["/title"]),
        ({"description": "x" * 1001}, ["/description"]),
        ({"description": None}, ["/description"]),
        ({"markup": "escape"}, ["/markup"]),
        ({"title": "", "description": 1, "more": 2}, ["/title", "/description", "/more"]),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_every_field_has_its_bounds(
    shared_app: RunningApp, fields: dict[str, Any], pointers: list[str]
) -> None:
    """400, with every field that is too long, too short, of another type or unknown."""
    answer = await post(shared_app, **fields)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


async def test_what_fits_is_taken_from_anybody(app: RunningApp) -> None:
    """The longest title and description, counted in characters; a description may be missing."""
    title, description = "\U0001f511" * 100, "\u00e9" * 1000
    answer = await post(app, title=title, description=description)

    assert answer.status_code == 200
    assert answer.json() == {"title": title, "description": description}
    assert (await post(app)).json() == {"title": "a title", "description": ""}


async def test_text_is_escaped_and_not_mangled(app: RunningApp) -> None:
    """No answer has a tag in its bytes; decoded, each title is what was sent."""
    for payload in PAYLOADS:
        title = payload[:100]
        answer = await post(app, title=title, description=payload)

        assert answer.json()["title"] == title
        assert not set(b"<>&") & set(answer.content)
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"description": "a <b>bold</b> one"}, ["/description"]),
        ({"title": "<i>", "description": "<img src=x onerror=hit() "}, ["/title", "/description"]),
        ({"title": "a <!-- comment -->"}, ["/title"]),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_markup_is_refused_where_none_may_be(
    shared_app: RunningApp, fields: dict[str, Any], pointers: list[str]
) -> None:
    """400 with each field that has any."""
    answer = await post(shared_app, markup="refuse", **fields)

    assert (answer.status_code, answer.json()["code"]) == (400, "markup_refused")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


@pytest.mark.parametrize(
    "text",
    ["5 < 6 and 7 > 3", "a <3 b", "Marks & Spencer", "&lt;b&gt;", "if a<1: \"x\" 'y'", "<", "a\nb"],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_text_without_markup_is_not_refused(shared_app: RunningApp, text: str) -> None:
    """Signs that open no tag are text, and come back as they were."""
    answer = await post(shared_app, title=text, description=text, markup="refuse")

    assert answer.json() == {"title": text, "description": text}


@given(st.text("<>/!-ab=\"' &;x#\0", max_size=40) | st.sampled_from(PAYLOADS))
def test_sanitising_is_done_once(html: str) -> None:
    """What came out harmless comes out the same again."""
    once = sanitise(html)
    assert sanitise(once) == once


async def test_it_is_an_example_and_can_be_left_out(settings: Settings) -> None:
    """`EDGE_EXAMPLE_ROUTES=false` leaves it out."""
    async with running_service(msgspec.structs.replace(settings, example_routes=False)) as app:
        assert (await post(app)).status_code == 404
