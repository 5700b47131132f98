"""Apps that say hello and do nothing else, one for each interface that a server offers."""

from typing import Any, Final

from litestar import Litestar, get

_HELLO: Final = {"hello": "you"}
_BODY: Final = b'{"hello":"you"}'
_LENGTH: Final = b"%d" % len(_BODY)
_START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", _LENGTH)],
}
_END: Final = {"type": "http.response.body", "body": _BODY}


async def asgi(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001  # of ASGI
    """Answer every request."""
    if scope["type"] == "http":
        await send(dict(_START))  # a middleware may change the message, and so all later ones
        await send(_END)


async def rsgi(scope: Any, protocol: Any) -> None:  # noqa: ANN401  # of RSGI
    """Answer every request."""
    if scope.proto == "http":
        protocol.response_bytes(200, [("content-type", "application/json")], _BODY)


@get("/", sync_to_thread=False)
def hello() -> dict[str, str]:
    """Answer a little JSON."""
    return _HELLO


litestar: Final = Litestar([hello], openapi_config=None, logging_config=None)
