"""A TCP proxy in front of a server, to take the server away and give it back within milliseconds.

It has four moods: it passes everything on, in one of the manners that there are; it refuses
connections and has cut all that there were; it is silent, as behind a broken network; or it answers
itself, as a PostgreSQL does that cannot serve yet.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from tests.support.manners import Manner, whole

_HOST: Final = "127.0.0.1"
_CHUNK_BYTES: Final = 64 * 1024

# PostgreSQL's protocol: a packet is its length, then its code.
_HEAD: Final = struct.Struct(">ii")
_SSL_REQUEST: Final = 80_877_103


class TcpProxy:
    """Listens on `port` of the loopback interface and passes on to another port of it."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._refusal: tuple[str, str] | None = None
        self._manner: Manner = whole
        self.accepted = 0
        self.port = 0

    @property
    def connections(self) -> int:
        """How many sockets are open, on either side."""
        return len(self._writers)

    async def restore(self) -> None:
        """Serve again, on the same port."""
        self._refusal = None
        self._manner = whole
        self._passing.set()
        await self._listen()

    def answer(self, manner: Manner) -> None:
        """Pass every answer on in this manner."""
        self._manner = manner

    def cut(self) -> None:
        """Reset every connection and refuse new ones: the server is gone."""
        self._passing.set()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._reset_all()

    def silence(self) -> None:
        """Accept and read, and pass nothing on in either direction: the network is broken."""
        self._passing.clear()

    async def refuse_politely(self, sqlstate: str, message: str) -> None:
        """Reset every connection and answer new ones with this fatal error of PostgreSQL."""
        self._refusal = (sqlstate, message)
        self._passing.set()
        self._reset_all()
        await self._listen()

    async def close(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, _HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def _reset_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._tracked(writer):
            if self._refusal is not None:
                await _refuse(reader, writer, *self._refusal)
                return
            onward_reader, onward_writer = await asyncio.open_connection(_HOST, self._target_port)
            async with self._tracked(onward_writer):
                there = asyncio.create_task(self._pass_on(reader, onward_writer))
                back = asyncio.create_task(self._answer(onward_reader, writer))
                try:
                    await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    there.cancel()
                    back.cancel()
                    await asyncio.gather(there, back, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK_BYTES):
            await self._passing.wait()
            writer.write(data)
            await writer.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK_BYTES):
            await self._passing.wait()
            await self._manner(writer, data)

    @asynccontextmanager
    async def _tracked(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        """Close the connection on leaving; that it may have been cut is what this is for."""
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                yield
        finally:
            self._writers.discard(writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def proxy_to(target_port: int) -> AsyncIterator[TcpProxy]:
    """Give a proxy that passes on, and close it and its connections on leaving."""
    proxy = TcpProxy(target_port)
    await proxy.restore()
    try:
        yield proxy
    finally:
        await proxy.close()


async def _refuse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sqlstate: str, message: str
) -> None:
    """Speak as much of PostgreSQL's protocol as it takes to be turned away."""
    length, code = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if code == _SSL_REQUEST:
        writer.write(b"N")
        length, code = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    await reader.readexactly(length - _HEAD.size)
    fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": message}
    body = b"".join(f"{kind}{text}\0".encode() for kind, text in fields.items()) + b"\0"
    writer.write(b"E" + struct.pack(">i", len(body) + 4) + body)
    await writer.drain()
