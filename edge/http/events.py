"""Security events out of what happened to a request."""

from collections.abc import Mapping
from typing import Any, Final

from edge.access.sign_in import SignedIn, SignInRefused
from edge.http.context import context_of
from edge.reasons import Reason
from edge.telemetry.events import (
    LoginFailed,
    LoginSucceeded,
    RefreshFailed,
    SecurityEvent,
    TokenFromTheFuture,
    TokenRefreshed,
    TokenReuseDetected,
)

_REFRESH_FAILURES: Final[dict[Reason, type[SecurityEvent]]] = {
    Reason.REFRESH_TOKEN_REUSED: TokenReuseDetected,
    Reason.REFRESH_TOKEN_FROM_THE_FUTURE: TokenFromTheFuture,
}


def request_event(
    kind: type[SecurityEvent],
    scope: Mapping[str, Any],
    *,
    principal: object | None = None,
    session: object | None = None,
    reason: Reason | None = None,
    **fields: str,
) -> SecurityEvent:
    """Make an event of this kind about the request behind an ASGI scope."""
    context = context_of(scope)
    return kind(
        client_address=context.client_address,
        request_id=context.request_id,
        trace_id=context.trace_id,
        principal=str(principal) if principal else None,
        session=str(session) if session else None,
        reason=reason.value if reason else None,
        **fields,
    )


def login_event(scope: Mapping[str, Any], outcome: SignedIn | SignInRefused) -> SecurityEvent:
    kind = LoginSucceeded if isinstance(outcome, SignedIn) else LoginFailed
    return _sign_in_event(kind, scope, outcome)


def refresh_event(scope: Mapping[str, Any], outcome: SignedIn | SignInRefused) -> SecurityEvent:
    if isinstance(outcome, SignedIn):
        return _sign_in_event(TokenRefreshed, scope, outcome)
    kind = _REFRESH_FAILURES.get(outcome.decision.reason, RefreshFailed)
    return _sign_in_event(kind, scope, outcome)


def _sign_in_event(
    kind: type[SecurityEvent], scope: Mapping[str, Any], outcome: SignedIn | SignInRefused
) -> SecurityEvent:
    return request_event(
        kind,
        scope,
        principal=outcome.user_id,
        session=outcome.session_id,
        reason=outcome.decision.reason if isinstance(outcome, SignInRefused) else None,
    )
