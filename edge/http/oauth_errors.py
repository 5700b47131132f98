"""The answers to OAuth requests that fail: JSON of their own form, no problem documents."""

from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.types import ExceptionHandlersMap

from edge.faults import UnavailableError
from edge.http.context import context_of, note_refusal
from edge.http.oauth import OAuthError, OAuthRefusedError
from edge.http.token_answer import NO_STORE

_log = structlog.stdlib.get_logger("edge.http")

AnyRequest = Request[Any, Any, Any]


class OAuthErrors:
    """Litestar's exception handlers for the OAuth endpoints. `realm` is named in challenges."""

    def __init__(self, realm: str) -> None:
        # Also for who sent the secret in the body: every 401 has a challenge (RFC 9110 15.5.2).
        self._challenge: Final = f'Basic realm="{realm}", charset="UTF-8"'

    def table(self) -> ExceptionHandlersMap:
        return {OAuthRefusedError: self.refused, UnavailableError: self.unavailable}

    def refused(self, _: AnyRequest, refused: OAuthRefusedError) -> Response[OAuthError]:
        """Answer 400, or 401 where the client is not who it says (RFC 6749 section 5.2)."""
        headers = dict(NO_STORE)
        if refused.error.error != "invalid_client":
            return Response(refused.error, status_code=HTTPStatus.BAD_REQUEST, headers=headers)
        headers["WWW-Authenticate"] = self._challenge
        return Response(refused.error, status_code=HTTPStatus.UNAUTHORIZED, headers=headers)

    def unavailable(self, request: AnyRequest, error: UnavailableError) -> Response[OAuthError]:
        """Answer 503: the client must assume that nothing has changed (RFC 7009 section 2.2.1)."""
        cause = type(error.__cause__).__name__ if error.__cause__ else None
        ids = context_of(request.scope).ids
        note_refusal(request.scope, error.reason)
        _log.warning("unavailable", reason=error.reason, cause=cause, **ids)
        return Response(
            OAuthError("temporarily_unavailable", "Try again"),
            status_code=HTTPStatus.SERVICE_UNAVAILABLE,
            headers={**NO_STORE, "Retry-After": str(error.retry_after_s)},
        )
