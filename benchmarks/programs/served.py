"""A server that people with roles may ask: Edge, or what is used instead."""

from collections.abc import Sequence

import msgspec

from benchmarks.programs.program import Running


class Served(msgspec.Struct, frozen=True):
    """A running server, and access tokens that it accepts."""

    running: Running
    admin_tokens: Sequence[str] = ()  # of admins who are moderators too
    user_tokens: Sequence[str] = ()
