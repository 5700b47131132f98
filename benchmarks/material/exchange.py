"""Requests that go straight into an ASGI app, without a server."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

Fields = tuple[tuple[bytes, bytes], ...]

# What browsers send, and what a load balancer on this machine adds.
USUAL: Final[Mapping[str, str]] = {
    "host": "id.example.com",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate, br",
    "accept-language": "en",
    "x-forwarded-for": "198.51.100.7",
    "x-forwarded-proto": "https",
}
_NONE: Final[Mapping[str, str]] = {}


class Answer(msgspec.Struct):
    """What came back."""

    status: int = 0
    fields: list[tuple[bytes, bytes]] = []
    body: bytes = b""


class Exchange(msgspec.Struct, frozen=True):
    """A request."""

    path: str
    method: str = "GET"
    fields: Fields = ()
    body: bytes = b""

    async def run(self, app: Any) -> Answer:  # noqa: ANN401  # any ASGI app
        """Send it, and give the answer."""
        answer = Answer()

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.fields = message["status"], message["headers"]
            else:
                answer.body += message.get("body", b"")

        await app(self._scope(), receive, send)
        return answer

    def _scope(self) -> dict[str, object]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": list(self.fields),
            "client": ("127.0.0.1", 4711),
            "server": ("127.0.0.1", 8000),
            "extensions": {},
        }


def exchange(
    path: str, fields: Mapping[str, str] = _NONE, *, method: str = "GET", body: bytes = b""
) -> Exchange:
    """Make a request with the usual fields and these, in lower case."""
    length = {"content-length": str(len(body))} if body else {}
    whole = {**USUAL, **length, **fields}
    encoded = tuple((name.encode(), value.encode()) for name, value in whole.items())
    return Exchange(path, method, encoded, body)
