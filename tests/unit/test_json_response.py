"""Answers in JSON, beside Litestar's own response."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Response, get, head
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import Cookie, ResponseHeader
from litestar.enums import MediaType
from litestar.types import Message

from edge.http.json_response import JsonResponse


class Book(msgspec.Struct):
    """Something to answer."""

    title: str
    bought_at: datetime


class Odd:
    """Something that only an encoder of its own makes JSON of."""


BOOK = Book("A <title>", datetime(2026, 11, 25, 12, tzinfo=UTC))


def routes(response: type[Response[Any]], done: list[str]) -> list[Any]:  # noqa: C901  # a table of handlers
    """Give a route for each way to answer."""

    def route(path: str, **options: Any) -> Callable[[Any], Any]:  # noqa: ANN401  # Litestar's
        return get(path, sync_to_thread=False, response_class=response, **options)

    @route("/struct")
    def struct() -> Book:
        return BOOK

    @route("/list")
    def many() -> list[Book]:
        return [BOOK, BOOK]

    @route("/none")
    def none() -> dict[str, None]:
        return {"nothing": None}

    @route("/text")
    def text() -> str:
        return "text"

    @route("/json-text", media_type=MediaType.JSON)
    def json_text() -> str:
        return "text"

    @route("/bytes", media_type=MediaType.JSON)
    def raw() -> bytes:
        return b"[1]"

    @route("/empty", status_code=204)
    def empty() -> None:
        return None

    @route("/created", status_code=201)
    def created() -> Book:
        return BOOK

    @route("/fields", response_headers=[ResponseHeader(name="x-more", value="yes")])
    def fields() -> Book:
        return BOOK

    @route("/cookies", response_cookies=[Cookie(key="a", value="b")])
    def cookies() -> Book:
        return BOOK

    @route("/encoded", type_encoders={Odd: lambda _: "odd"})
    def encoded() -> dict[str, Odd]:
        return {"odd": Odd()}

    @route("/packed", media_type=MediaType.MESSAGEPACK)
    def packed() -> Book:
        return BOOK

    @route("/own")
    def own() -> Response[Book]:
        return response(BOOK, status_code=202, headers={"x-own": "yes"})

    @route("/background")
    def background() -> Response[Book]:
        return response(BOOK, background=BackgroundTask(done.append, "done"))

    @head("/head", sync_to_thread=False, response_class=response)
    def without_body() -> None:
        return None

    return [
        *(struct, many, none, text, json_text, raw, empty, created, fields),
        *(cookies, encoded, packed, own, background, without_body),
    ]


PATHS = sorted(next(iter(handler.paths)) for handler in routes(Response, []))


async def ask(app: Litestar, path: str) -> list[Message]:
    """Ask for a path; gives what was sent, with the fields in order."""
    sent: list[Message] = []

    async def receive() -> Any:  # noqa: ANN401  # Litestar's messages are closed
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = sorted(message["headers"])
        sent.append(message)

    scope: Any = {
        "type": "http",
        "method": "HEAD" if path == "/head" else "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    await app(scope, receive, send)
    return sent


async def answer(response: type[Response[Any]], path: str) -> tuple[list[Message], list[str]]:
    """Ask a response class; gives what was sent, and what was done."""
    done: list[str] = []
    app = Litestar(routes(response, done), openapi_config=None, logging_config=None)
    return await ask(app, path), done


@pytest.mark.parametrize("path", PATHS)
async def test_an_answer_is_the_one_that_litestar_gives(path: str) -> None:
    """Status, fields, body and what is done afterwards, for each kind of answer."""
    expected = await answer(Response, path)
    assert await answer(JsonResponse, path) == expected
    assert expected[0][0]["type"] == "http.response.start"


async def test_what_is_no_json_is_a_fault() -> None:
    """It is no answer with half a body."""

    @get("/odd", sync_to_thread=False, response_class=JsonResponse)
    def odd() -> dict[str, Any]:
        return {"odd": Odd()}

    [start, _] = await ask(Litestar([odd], openapi_config=None, logging_config=None), "/odd")
    assert start["type"] == "http.response.start"
    assert start["status"] == 500
