"""Telling those who read the change list of revocations that it has grown."""

from collections.abc import Awaitable, Callable

Announce = Callable[[], Awaitable[None]]
"""Called after the transaction that added to the list; never fails."""


async def to_nobody() -> None:
    """Tell nobody: for whoever does not serve requests."""
