"""A server that people with roles may ask: Edge, or what is used instead."""

from collections.abc import Mapping, Sequence

import msgspec

from benchmarks.programs.program import Running


class Served(msgspec.Struct, frozen=True):
    """A running server, access tokens that it accepts, and some that it must not accept."""

    running: Running
    admin_tokens: Sequence[str] = ()  # of admins who are moderators too
    user_tokens: Sequence[str] = ()
    bad_tokens: Mapping[str, str] = {}  # by what is wrong
