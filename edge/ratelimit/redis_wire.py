"""A connection to Redis that redis-py has made, used without what it needs for each command.

Its streams, time-outs and retries take about as long as all else that a decision needs. Making the
connection (TLS, authentication, sentinels) stays with redis-py.
"""

import asyncio
from typing import Any, Self

from hiredis import HiredisError, Reader
from redis.asyncio.connection import AbstractConnection


class RedisWire(asyncio.Protocol):
    """One command at a time, and its reply. For a connection without pushed messages (RESP2)."""

    def __init__(self, transport: Any, before: asyncio.BaseProtocol) -> None:  # noqa: ANN401  # uvloop's is no asyncio.Transport
        self._transport = transport
        self._before = before
        self._replies = Reader()
        self._new_future = asyncio.get_running_loop().create_future
        self._reply: asyncio.Future[Any] = self._new_future()
        self._reply.cancel()  # nothing was asked yet

    @classmethod
    def take_over(cls, connection: AbstractConnection) -> Self:
        """Read what arrives on a connection from now on, in place of its own streams."""
        transport = connection._writer.transport  # type: ignore[union-attr]  # noqa: SLF001  # connected; there is no other way
        wire = cls(transport, transport.get_protocol())
        transport.set_protocol(wire)
        return wire

    def ask(self, command: bytes) -> asyncio.Future[Any]:
        """Send a packed command; gives its reply, which may be a `hiredis.ReplyError`.

        The reply raises `OSError` where the connection is gone. Whoever does not wait for it to the
        end must `abort`, or the next would get it.
        """
        self._reply = self._new_future()
        if self._transport.is_closing():
            self._reply.set_exception(ConnectionError("the connection is gone"))
        else:
            self._transport.write(command)
        return self._reply

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self._replies.feed(data)
            reply = self._replies.gets()
        except HiredisError:  # whoever answers there is no Redis
            self.abort()
            return
        if reply is not False and not self._reply.done():
            self._reply.set_result(reply)
        if self._replies.has_data() and self._reply.done():  # nobody asked for more
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._reply.done():
            self._reply.set_exception(error or ConnectionError("Redis closed the connection"))
        self._before.connection_lost(error)
