"""Answers in JSON that are nothing but a body, as most are."""

from typing import Any, Final

from litestar import Request, Response
from litestar.enums import MediaType
from litestar.response.base import ASGIResponse
from litestar.serialization import encode_json
from litestar.types import Receive, Scope, Send

_TYPE: Final = (b"content-type", MediaType.JSON.value.encode("ascii"))
_LEAST_WITH_BODY: Final = 200
_WITHOUT_BODY: Final = (204, 304)


class _Json(ASGIResponse):
    """Sends a body. It makes none of what its base is made of, and so has only its call."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status_code = status
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        headers = [_TYPE, (b"content-length", b"%d" % len(self.body))]
        start = {"type": "http.response.start", "status": self.status_code, "headers": headers}
        await send(start)  # type: ignore[arg-type]  # Litestar's types of messages are closed
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class JsonResponse(Response[Any]):
    """Litestar's response, which takes a short way for JSON without anything beside it.

    Litestar looks up each of its header fields among all others, which takes as long as all that
    Edge does for the request. What has fields, cookies, encoders or work of its own, is no JSON or
    has no body, goes Litestar's way.
    """

    def to_asgi_response(
        self,
        app: Any,  # noqa: ANN401  # Litestar's own, and deprecated
        request: Request[Any, Any, Any],
        **options: Any,  # noqa: ANN401
    ) -> ASGIResponse:
        status = self.status_code or options.get("status_code") or _LEAST_WITH_BODY
        is_plain = (
            self.media_type == MediaType.JSON
            and status >= _LEAST_WITH_BODY
            and status not in _WITHOUT_BODY
            and not (self.headers or self.cookies or self.background or self.response_type_encoders)
            and not any(options.values())
            and not isinstance(self.content, str | bytes)
        )
        if not is_plain:
            return super().to_asgi_response(app, request, **options)
        return _Json(status, encode_json(self.content))
