"""What the outermost layer finds out about a request, for everybody further in."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request

from edge.tokens.session import Origin

CONTEXT_KEY: Final = "edge"

# What a person can tell a browser by; the rest of some is pages long.
_LONGEST_USER_AGENT: Final = 256


class RequestContext(msgspec.Struct, frozen=True):
    """The id under which a request is logged, and how it arrived; see `Arrival`."""

    request_id: str
    client_address: str
    scheme: str
    host: str


def context_of(scope: Mapping[str, Any]) -> RequestContext:
    """Give the context of a request.

    Raises:
        RuntimeError: the request did not come through the outermost layer.
    """
    context = scope.get(CONTEXT_KEY)
    if not isinstance(context, RequestContext):
        message = "the request did not pass Edge's outermost layer; is EdgePlugin installed?"
        raise RuntimeError(message)  # noqa: TRY004  # the wiring is wrong, not a type
    return context


def origin_of(request: Request[Any, Any, Any]) -> Origin:
    """Give where a request comes from, as a session shows it."""
    user_agent = request.headers.get("user-agent", "")
    shown = "".join(filter(str.isprintable, user_agent))[:_LONGEST_USER_AGENT]
    return Origin(context_of(request.scope).client_address, shown)
