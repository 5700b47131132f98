"""What the outermost layer finds out about a request, for everybody further in."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

CONTEXT_KEY: Final = "edge"


class RequestContext(msgspec.Struct, frozen=True):
    """The id under which a request is logged, and where it came from."""

    request_id: str
    client_address: str


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
