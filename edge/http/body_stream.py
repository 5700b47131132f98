"""The stream of a request body: at most so long, and done within so much time."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar.types import Empty, Receive, Scope

from edge.http.bodies import BodyError
from edge.http.request_head import is_http_1
from edge.reasons import Reason

_DIGITS: Final = 20  # of 2**64


class StreamLimits(msgspec.Struct, frozen=True):
    """How many bytes a body may have, and in how many seconds it has to come."""

    body_bytes: int = 64 * 1024
    timeout_s: float = 20.0


def may_have_body(scope: Scope, fields: Mapping[bytes, bytes]) -> bool:
    """Say whether a body can follow the head; in HTTP/2 no field has to announce one."""
    return b"content-length" in fields or b"transfer-encoding" in fields or not is_http_1(scope)


class BodyStream:
    """The `receive` of a request. Its clock starts when the body is first asked for."""

    __slots__ = (
        "_announced",
        "_deadline",
        "_is_complete",
        "_limits",
        "_most_bytes",
        "_receive",
        "_received",
        "_scope",
    )

    def __init__(
        self,
        receive: Receive,
        scope: Scope,
        fields: Mapping[bytes, bytes],
        limits: StreamLimits,
    ) -> None:
        self._receive = receive
        self._scope = scope
        self._announced = _length(fields.get(b"content-length", b""))
        self._limits = limits
        self._received = 0
        self._deadline: float | None = None
        self._most_bytes: int | None = None
        self._is_complete = False

    async def __call__(self) -> Any:  # noqa: ANN401  # Litestar's types of messages are closed
        """Give the next message of the server.

        Raises:
            BodyError: the body is longer than its route takes, does not come, or ends early.
        """
        if self._is_complete:  # what follows is that the client has left, whenever that is
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._limits.timeout_s
            self._most_bytes = self._most_bytes_of_route()
            self._see_that_it_fits(self._announced)
        message = await self._next(self._deadline)
        if message["type"] != "http.request":
            raise BodyError(Reason.BODY_INCOMPLETE)
        self._received += len(message.get("body", b""))
        self._see_that_it_fits(self._received)
        self._is_complete = not message.get("more_body", False)
        return message

    async def _next(self, deadline: float) -> Any:  # noqa: ANN401
        try:
            async with asyncio.timeout_at(deadline):
                return await self._receive()
        except TimeoutError:
            raise BodyError(Reason.BODY_TIMEOUT) from None

    def _most_bytes_of_route(self) -> int | None:
        handler = self._scope.get("route_handler")  # known by now: bodies are read behind routing
        declared = Empty if handler is None else _declared_size(handler)
        return self._limits.body_bytes if declared is Empty else declared

    def _see_that_it_fits(self, size: int) -> None:
        if self._most_bytes is not None and size > self._most_bytes:
            raise BodyError(Reason.BODY_TOO_LARGE)


def _declared_size(handler: Any) -> Any:  # noqa: ANN401  # any handler of Litestar's, and its Empty
    """Give the `request_max_body_size` of a route or a router around it.

    Not that of the app, which has a value even where nobody gave one: Edge's setting replaces it.
    """
    of_the_route = reversed(handler.ownership_layers[1:])
    sizes = (getattr(layer, "request_max_body_size", Empty) for layer in of_the_route)
    return next((size for size in sizes if size is not Empty), Empty)


def _length(value: bytes) -> int:
    # What is no number, or none that can be, the server has refused.
    return int(value) if value.isdigit() and len(value) < _DIGITS else 0
