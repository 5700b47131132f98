"""The wire to Redis, against a server that answers what a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from hiredis import ReplyError

from edge.ratelimit.redis_wire import RedisWire

ASKED = b"*1\r\n$4\r\nPING\r\n"


class Before(asyncio.Protocol):
    """The protocol that the wire takes the place of."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self.ended.set()


class Peer:
    """A server with one client, to whom it answers each command with the next of `replies`."""

    def __init__(self, *replies: bytes | None) -> None:
        self.replies = list(replies)
        self.has_ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while self.replies and await reader.read(1000):
                reply = self.replies.pop(0)
                if reply is None:
                    break
                writer.write(reply)
            else:
                await reader.read(1000)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.has_ended.set()


@asynccontextmanager
async def wired(peer: Peer) -> AsyncIterator[tuple[RedisWire, Before]]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, before = await asyncio.get_running_loop().create_connection(
        Before, "127.0.0.1", port
    )
    wire = RedisWire(transport, before)
    transport.set_protocol(wire)
    try:
        async with asyncio.timeout(10):
            yield wire, before
    finally:
        transport.abort()
        await peer.has_ended.wait()
        server.close()


def ask(wire: RedisWire) -> asyncio.Future[object]:
    """Ask; gives the reply, which raises what was told in its place."""
    replied: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def answered(reply: object) -> None:
        if isinstance(reply, OSError):
            replied.set_exception(reply)
        else:
            replied.set_result(reply)

    wire.ask(ASKED, answered)
    return replied


async def test_each_command_gets_its_reply_and_an_error_is_one() -> None:
    """In order; an error is given, not raised."""
    async with wired(Peer(b"+PONG\r\n", b"-NOSCRIPT none\r\n")) as (wire, _):
        assert await ask(wire) == b"PONG"
        error = await ask(wire)
        assert isinstance(error, ReplyError)
        assert str(error).startswith("NOSCRIPT")


async def test_a_reply_that_comes_in_pieces_is_one() -> None:
    """It is given when all of it is there."""
    async with wired(Peer(b"$10\r\n0123456789\r\n")) as (wire, _):
        reply = ask(wire)
        wire.data_received(b"$4\r\n0")
        assert not reply.done()
        wire.data_received(b"123\r\n")
        assert await reply == b"0123"


async def test_who_waits_when_the_connection_ends_is_told_and_so_is_who_asks_then() -> None:
    """Nobody hangs; and whoever had the connection before hears of its end as well."""
    async with wired(Peer(None)) as (wire, before):
        with pytest.raises(OSError, match="closed"):
            await ask(wire)
        await before.ended.wait()
        with pytest.raises(OSError, match="gone"):
            await ask(wire)


async def test_what_is_no_reply_of_redis_ends_the_connection() -> None:
    """And is given to nobody."""
    async with wired(Peer(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as (wire, _):
        with pytest.raises(OSError, match="closed"):
            await ask(wire)


async def test_a_reply_too_many_ends_the_connection_and_is_never_another_s() -> None:
    """Else each later command would get the reply of the one before."""
    async with wired(Peer(b"+ONE\r\n+TWO\r\n")) as (wire, before):
        assert await ask(wire) == b"ONE"
        await before.ended.wait()
        with pytest.raises(OSError, match="gone"):
            await ask(wire)


async def test_half_a_reply_that_nobody_asked_for_is_not_kept_for_the_next() -> None:
    """Its other half would be the reply of a command that comes meanwhile."""
    async with wired(Peer()) as (wire, before):
        wire.data_received(b"+HALF")
        await before.ended.wait()
        with pytest.raises(OSError, match="gone"):
            await ask(wire)


async def test_who_aborts_gets_no_reply_and_neither_does_anybody_later() -> None:
    """What was asked for is still under way then."""
    async with wired(Peer(b"+LATE\r\n")) as (wire, _):
        reply = ask(wire)
        wire.abort()
        with pytest.raises(OSError, match="closed"):
            await reply
        with pytest.raises(OSError, match="gone"):
            await ask(wire)
