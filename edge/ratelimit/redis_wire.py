"""A connection to Redis that redis-py has made, used without what it needs for each command.

Its streams, time-outs and retries take about as long as all else that a decision needs. Making the
connection (TLS, authentication, sentinels) stays with redis-py.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Self

from hiredis import HiredisError, Reader
from redis.asyncio.connection import AbstractConnection

Answered = Callable[[object], None]


class RedisWire(asyncio.Protocol):
    """One command at a time, and its reply. For a connection without pushed messages (RESP2)."""

    def __init__(self, transport: Any, before: asyncio.BaseProtocol) -> None:  # noqa: ANN401  # uvloop's is no asyncio.Transport
        self._transport = transport
        self._before = before
        self._replies = Reader()
        self._answered: Answered | None = None

    @classmethod
    def take_over(cls, connection: AbstractConnection) -> Self:
        """Read what arrives on a connection from now on, in place of its own streams."""
        transport = connection._writer.transport  # type: ignore[union-attr]  # noqa: SLF001  # connected; there is no other way
        wire = cls(transport, transport.get_protocol())
        transport.set_protocol(wire)
        return wire

    def ask(self, command: bytes, answered: Answered) -> None:
        """Send a packed command; `answered` is called with its reply.

        That may be a `hiredis.ReplyError`, and is an `OSError` where the connection is gone, or
        ends.
        """
        self._answered = answered
        if self._transport.is_closing():
            self._answer(ConnectionError("the connection is gone"))
        else:
            self._transport.write(command)

    def abort(self) -> None:
        """End the connection at once, and with it the wait for a reply."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._answered is None:  # nobody asked for it
            self.abort()
            return
        try:
            self._replies.feed(data)
            reply = self._replies.gets()
            is_more = reply is not False and self._replies.has_data()
        except HiredisError:  # whoever answers there is no Redis
            self.abort()
            return
        if reply is False:
            return
        if is_more:
            self.abort()
        self._answer(reply)

    def connection_lost(self, error: Exception | None) -> None:
        self._before.connection_lost(error)  # first: who closes the connection waits for it
        self._answer(error or ConnectionError("Redis closed the connection"))

    def _answer(self, reply: object) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(reply)
