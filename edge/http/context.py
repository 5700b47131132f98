"""What the outermost layer finds out about a request, for everybody further in."""

import re
from collections.abc import Mapping
from random import randbytes
from typing import Any, Final, cast

import msgspec
from litestar import Request
from litestar.types import Scope

from edge.http.arrival import TrustedProxies
from edge.http.trace_context import SPAN_KEY, TRACEPARENT, read_traceparent, trace_id_of
from edge.reasons import Reason
from edge.telemetry.counting import Decision, Outcome
from edge.tokens.session import Origin

CONTEXT_KEY: Final = "edge"
_DECISION_KEY: Final = "edge_decision"

# What a proxy may hand us to log: long enough for a UUID and a trace id, nothing to inject with.
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~-]{8,128}")

# Of paths that are not as routing takes them.
_ENDS: Final = ("/", "")

# What a person can tell a browser by; the rest of some is pages long.
_LONGEST_USER_AGENT: Final = 256


class RequestContext(msgspec.Struct, frozen=True):
    """The id under which a request is logged, how it arrived (see `Arrival`), and its path.

    What holds by path goes by this one: routing takes `/a/` for `/a`, and hands on to a mounted app
    only what follows its own path.
    `traceparent` says which trace it is part of, if any.
    """

    request_id: str
    client_address: str
    scheme: str
    host: str
    is_from_proxy: bool
    path: str
    traceparent: str | None = None

    @property
    def trace_id(self) -> str | None:
        return None if self.traceparent is None else trace_id_of(self.traceparent)

    @property
    def ids(self) -> dict[str, str]:
        """What a line of the log says of the request."""
        trace_id = self.trace_id
        return {"request_id": self.request_id, **({"trace_id": trace_id} if trace_id else {})}


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


def note_refusal(scope: Scope, reason: Reason, outcome: Outcome = "refused") -> None:
    """Keep why a request is refused, for whoever counts it."""
    cast("dict[str, Any]", scope)[_DECISION_KEY] = outcome, reason.value


def refusal_of(scope: Mapping[str, Any]) -> Decision | None:
    """Give why a request was refused, if it was."""
    refusal: Decision | None = scope.get(_DECISION_KEY)
    return refusal


def origin_of(request: Request[Any, Any, Any]) -> Origin:
    """Give where a request comes from, as a session shows it."""
    user_agent = request.headers.get("user-agent", "")
    shown = "".join(filter(str.isprintable, user_agent))[:_LONGEST_USER_AGENT]
    return Origin(context_of(request.scope).client_address, shown)


def enter(scope: Scope, named: Mapping[bytes, bytes], proxies: TrustedProxies) -> RequestContext:
    """Tell everybody further in what is known of a request."""
    known: Any = scope  # ASGI allows keys of one's own
    traceparent: bytes | None = known.get(SPAN_KEY) or named.get(TRACEPARENT)
    request_id = named.get(b"x-request-id")
    path: str = known["path"]
    context = known[CONTEXT_KEY] = RequestContext(
        _new_request_id() if request_id is None else _checked(request_id),
        *proxies.arrival_of(scope, named),
        path if path[-1:] not in _ENDS and not known.get("root_path") else _own_path(scope),
        None if traceparent is None else read_traceparent(traceparent),
    )
    return context


def _own_path(scope: Scope) -> str:
    root = scope.get("root_path", "")
    return scope["path"].removeprefix(root).rstrip("/") or "/"


def _new_request_id() -> str:
    return randbytes(16).hex()  # noqa: S311  # names a request and keeps no secret


def _checked(request_id: bytes) -> str:
    return request_id.decode("ascii") if _REQUEST_ID.fullmatch(request_id) else _new_request_id()
