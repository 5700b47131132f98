"""Bodies that are too long, too slow or cut off."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import pytest
from litestar import Litestar, Router, post
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from edge.http.bodies import BodyError
from edge.http.body_stream import BodyStream, StreamLimits, may_have_body
from edge.reasons import Reason

Message = dict[str, Any]
LIMIT = 10


class Client:
    """Sends these messages, and then nothing for ever."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._messages = list(messages)
        self.asked = 0

    async def receive(self) -> Any:  # noqa: ANN401  # any ASGI message
        self.asked += 1
        if self._messages:
            return self._messages.pop(0)
        return await asyncio.get_running_loop().create_future()


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def stream(
    client: Client, announced: bytes | None = None, *, timeout_s: float = 60, **scope: object
) -> BodyStream:
    fields = {} if announced is None else {b"content-length": announced}
    limits = StreamLimits(LIMIT, timeout_s)
    return BodyStream(client.receive, cast("Scope", scope), fields, limits)


async def read(body: BodyStream) -> bytes:
    parts = b""
    while True:
        message = await body()
        parts += cast("bytes", message["body"])
        if not message["more_body"]:
            return parts


async def refusal(body: BodyStream) -> Reason:
    with pytest.raises(BodyError) as caught:
        await read(body)
    return caught.value.reason


@pytest.mark.parametrize("announced", [b"10", None])
async def test_a_body_of_the_limit_passes_as_it_is(announced: bytes | None) -> None:
    """All parts arrive, and what comes behind the last is passed on without a clock."""
    client = Client([part(b"12345", more=True), part(b"67890"), {"type": "http.disconnect"}])
    body = stream(client, announced)
    assert await read(body) == b"1234567890"
    assert await body() == {"type": "http.disconnect"}


async def test_a_body_announced_as_too_long_is_not_read() -> None:
    """The client is not asked for a byte of it."""
    client = Client([part(b"12345678901")])
    assert await refusal(stream(client, b"11")) is Reason.BODY_TOO_LARGE
    assert client.asked == 0


@pytest.mark.parametrize("announced", [b"5", None, b"", b"no number", b"9" * 5000])
async def test_a_body_that_turns_out_too_long_is_read_no_further(announced: bytes | None) -> None:
    """Whatever was announced, or nothing: one byte over the limit ends it."""
    client = Client([part(b"1234567890", more=True), part(b"1", more=True), part(b"never")])
    assert await refusal(stream(client, announced)) is Reason.BODY_TOO_LARGE
    assert client.asked == 2


async def test_a_body_that_does_not_come_is_given_up() -> None:
    """After a part that came, too."""
    client = Client([part(b"1", more=True)])
    assert await refusal(stream(client, timeout_s=0.01)) is Reason.BODY_TIMEOUT


async def test_the_time_is_for_the_whole_body() -> None:
    """Parts that trickle in, each well within it, do not start it again."""

    class Trickle(Client):
        async def receive(self) -> Any:  # noqa: ANN401  # any ASGI message
            self.asked += 1
            assert self.asked < 20, "it was started again"
            await asyncio.sleep(0.02)
            return part(b"", more=True)

    client = Trickle([])
    assert await refusal(stream(client, timeout_s=0.1)) is Reason.BODY_TIMEOUT
    assert client.asked > 1


async def test_a_body_that_is_cut_off_is_no_body() -> None:
    """What came of it must not be taken for the whole."""
    client = Client([part(b"1", more=True), {"type": "http.disconnect"}])
    assert await refusal(stream(client)) is Reason.BODY_INCOMPLETE


@post("/plain")
async def plain() -> None: ...


@post("/large", request_max_body_size=20)
async def large() -> None: ...


@post("/unlimited", request_max_body_size=None)
async def unlimited() -> None: ...


def handler_at(path: str) -> BaseRouteHandler:
    router = Router("/r", route_handlers=[plain, large], request_max_body_size=5)
    app = Litestar([plain, large, unlimited, router], logging_config=None)
    found: BaseRouteHandler = app.route_handler_method_map[path]["POST"]
    return found


@pytest.mark.parametrize(
    ("path", "most"), [("/plain", LIMIT), ("/large", 20), ("/r/plain", 5), ("/r/large", 20)]
)
async def test_a_route_takes_what_it_or_its_router_says(path: str, most: int) -> None:
    """`request_max_body_size` nearest to the handler counts; the app's has a value anyway."""
    handler = handler_at(path)
    fits = stream(Client([part(b"x" * most)]), route_handler=handler)
    assert len(await read(fits)) == most
    over = stream(Client([part(b"x" * (most + 1))]), route_handler=handler)
    assert await refusal(over) is Reason.BODY_TOO_LARGE


async def test_a_route_may_take_anything() -> None:
    """`None` is no limit, as in Litestar."""
    client = Client([part(b"x" * 1000)])
    body = stream(client, b"1000", route_handler=handler_at("/unlimited"))
    assert len(await read(body)) == 1000


@pytest.mark.parametrize(
    ("version", "fields", "may"),
    [
        ("1.1", [], False),
        ("1.1", [b"content-length"], True),
        ("1.1", [b"transfer-encoding"], True),
        ("2", [], True),
    ],
)
def test_only_http_1_announces_every_body(
    version: str,
    fields: list[bytes],
    may: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """In HTTP/2 a body may follow any head."""
    scope = cast("Scope", {"http_version": version})
    assert may_have_body(scope, dict.fromkeys(fields, b"")) is may
