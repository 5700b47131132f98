"""An identity provider of the tests' own: a real HTTP server, with manners to choose from."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from joserfc import jws
from joserfc.jwk import ECKey, Key

from tests.support.secrets import remember

Manner = Callable[["Provider", asyncio.StreamWriter], Awaitable[None]]

_OK: Final = "200 OK"


class Provider:
    """Signs tokens, and serves its JWK Set at `url` in the `manner` of the moment."""

    def __init__(self, issuer: str, *keys: Key) -> None:
        self.issuer = issuer
        self.keys: Sequence[Key] = keys or [new_key("k1")]
        self.extra: list[dict[str, Any]] = []
        self.manner: Manner = well
        self.requests = 0
        self.last_path = ""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks"

    def document(self) -> bytes:
        public = [
            {**key.as_dict(private=False), "use": "sig", "kid": str(key.kid)} for key in self.keys
        ]
        return json.dumps({"keys": [*self.extra, *public]}).encode()

    def token(
        self, *, key: Key | None = None, typ: str = "at+jwt", alg: str = "ES256", **claims: object
    ) -> str:
        """Sign a token that is good for a long time, but for what `claims` say."""
        signer = key or self.keys[-1]
        header = {"alg": alg, "kid": str(signer.kid), "typ": typ}
        payload = {"iss": self.issuer, "sub": "somebody", "aud": "edge", "exp": 4_000_000_000}
        payload.update(claims)
        kept = {name: value for name, value in payload.items() if value is not None}
        token = jws.serialize_compact(header, json.dumps(kept), signer, algorithms=[alg])
        remember(token)
        return token

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go down, and hang up on everybody; the port stays ours, to come up again."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.create_task(self._answer(reader, writer))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.last_path = head.split()[1].decode()
            self.requests += 1
            await self.manner(self, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has hung up
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def provider(issuer: str, *keys: Key) -> AsyncIterator[Provider]:
    running = Provider(issuer, *keys)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


def new_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": kid})


async def send(writer: asyncio.StreamWriter, body: bytes, status: str = _OK, *fields: str) -> None:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *fields]
    writer.write("\r\n".join([*head, "", ""]).encode() + body)
    await writer.drain()


async def well(provider: Provider, writer: asyncio.StreamWriter) -> None:
    await send(writer, provider.document(), _OK, "Content-Type: application/json")


async def with_html(_: Provider, writer: asyncio.StreamWriter) -> None:
    await send(writer, b"<!doctype html><p>Please log in", _OK, "Content-Type: text/html")


async def with_an_error(provider: Provider, writer: asyncio.StreamWriter) -> None:
    await send(writer, provider.document(), "500 Internal Server Error")


async def with_a_redirect(provider: Provider, writer: asyncio.StreamWriter) -> None:
    """Serve whoever follows."""
    if provider.last_path == "/elsewhere":
        await well(provider, writer)
    else:
        await send(writer, b"", "302 Found", "Location: /elsewhere")


async def with_ten_megabytes(provider: Provider, writer: asyncio.StreamWriter) -> None:
    padded = provider.document()[:-1] + b',"pad":"' + b"x" * 10_000_000 + b'"}'
    await send(writer, padded)


async def without_a_length(_: Provider, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _round in range(1000):
        writer.write(b" " * 10_000)
        await writer.drain()


async def compressed(provider: Provider, writer: asyncio.StreamWriter) -> None:
    body = gzip.compress(provider.document() + b" " * 10_000_000)
    await send(writer, body, _OK, "Content-Encoding: gzip")


async def never(_: Provider, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drop_by_drop(provider: Provider, writer: asyncio.StreamWriter) -> None:
    body = provider.document()
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    for byte in body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def half(provider: Provider, writer: asyncio.StreamWriter) -> None:
    body = provider.document()
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:40])
    await writer.drain()


async def hanging_up(_: Provider, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def with_nonsense(_: Provider, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    await writer.drain()


def with_extra(key: Mapping[str, Any]) -> Manner:
    """Serve the good keys and this one."""

    async def answer(provider: Provider, writer: asyncio.StreamWriter) -> None:
        keys = json.loads(provider.document())["keys"]
        await send(writer, json.dumps({"keys": [*keys, key]}).encode())

    return answer


def answering(document: object) -> Manner:
    """Answer with this document, JSON unless it is bytes."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()

    async def answer(_: Provider, writer: asyncio.StreamWriter) -> None:
        await send(writer, body)

    return answer
