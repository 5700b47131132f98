"""A client of HTTP/1.1 that costs little: whoever loads a server shares two cores with it.

It keeps connections, and asks on one at a time; it knows what Edge and HAProxy answer, no more.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

_NO_BODY: Final = frozenset({204, 304})

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NoAnswerError(Exception):
    """The connection was refused or broken, or nothing came in time."""


class Answer(msgspec.Struct, frozen=True):
    """What came; the names of fields are in lower case."""

    status: int
    fields: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode()


class QuickHttp:
    """Asks one server on the loopback interface."""

    def __init__(self, port: int, *, timeout_s: float) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._idle: list[Connection] = []

    async def ask(
        self, method: str, path: str, fields: Mapping[str, str], body: object = None
    ) -> Answer:
        """Ask once, on a connection that is idle or on a new one.

        Raises:
            NoAnswerError: there was no whole answer in time.
        """
        request = _request(method, path, fields, body)
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await self._connection()
                try:
                    writer.write(request)
                    answer = await _read(reader)
                except BaseException:
                    writer.transport.abort()
                    raise
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            raise NoAnswerError from error
        if answer.fields.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return answer

    async def _connection(self) -> Connection:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


@asynccontextmanager
async def quick_http(port: int, *, timeout_s: float = 10.0) -> AsyncIterator[QuickHttp]:
    client = QuickHttp(port, timeout_s=timeout_s)
    try:
        yield client
    finally:
        client.close()


def _request(method: str, path: str, fields: Mapping[str, str], body: object) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: edge.test"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    elif method == "POST":
        lines.append("Content-Length: 0")
    return "\r\n".join([*lines, "", ""]).encode() + content


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split()[1])
    pairs = (line.partition(":") for line in head[1:] if line)
    fields: dict[str, Any] = {name.lower(): value.strip() for name, _, value in pairs}
    if status in _NO_BODY:
        return Answer(status, fields, b"")
    if fields.get("transfer-encoding") == "chunked":
        return Answer(status, fields, await _chunks(reader))
    return Answer(status, fields, await reader.readexactly(int(fields["content-length"])))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return body
