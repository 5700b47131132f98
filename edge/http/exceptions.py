"""From exceptions to answers: every error of the app leaves as a problem document."""

from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from edge.access.decision import Forbidden, Malformed, Throttled, Unauthenticated, Unavailable
from edge.faults import TooManyAttemptsError, UnavailableError
from edge.http.bodies import BodyError
from edge.http.context import context_of, note_refusal
from edge.http.enforcement import RefusedError
from edge.http.events import request_event
from edge.http.problems import (
    MEDIA_TYPE,
    FieldError,
    challenges,
    problem,
    scope_challenge,
)
from edge.http.request_head import is_http_1
from edge.reasons import Reason
from edge.telemetry.events import AccessDenied, Record

_log = structlog.stdlib.get_logger("edge.http")

# An error must not be kept by a cache and shown to the next one who asks.
NO_STORE: Final = {"Cache-Control": "no-store"}

_STATUS_OF_BODY: Final = {
    Reason.BODY_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.BODY_TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    Reason.CONTENT_TYPE_UNSUPPORTED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Reason.CONTENT_ENCODING_UNSUPPORTED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Reason.USERNAME_TAKEN: HTTPStatus.CONFLICT,
}
_CUT_OFF: Final = frozenset({Reason.BODY_TOO_LARGE, Reason.BODY_TIMEOUT, Reason.BODY_INCOMPLETE})
_REASON_OF_STATUS: Final = {
    HTTPStatus.NOT_FOUND: Reason.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Reason.METHOD_NOT_ALLOWED,
    HTTPStatus.PRECONDITION_FAILED: Reason.PRECONDITION_FAILED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Reason.BODY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Reason.CONTENT_TYPE_UNSUPPORTED,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: Reason.RANGE_NOT_SATISFIABLE,
}

# How Litestar says that there is nothing to make `data` of; other faults of it have other messages.
_NO_BODY: Final = "'data'"

AnyRequest = Request[Any, Any, Any]


class ExceptionHandlers:
    """Litestar's exception handlers. `realm` is named in challenges; refusals are recorded."""

    def __init__(self, *, realm: str, record: Record) -> None:
        self._realm = realm
        self._record = record

    def table(self) -> ExceptionHandlersMap:
        return {
            RefusedError: self.refused,
            BodyError: self.body,
            TooManyAttemptsError: self.too_many_attempts,
            UnavailableError: self.unavailable,
            ValidationException: self.validation,
            HTTPException: self.http,
            Exception: self.unexpected,
        }

    def refused(self, request: AnyRequest, error: RefusedError) -> Response[bytes]:
        if not error.is_recorded:
            self._record_refusal(request, error)
        reason = error.refusal.reason
        match error.refusal:
            case Malformed():
                return _answer(request, reason, HTTPStatus.BAD_REQUEST)
            case Unauthenticated():
                answer = _answer(request, reason, HTTPStatus.UNAUTHORIZED)
                asked_for = challenges(self._realm, error.accepted, reason)
                answer.headers["WWW-Authenticate"] = ", ".join(asked_for)
                return answer
            case Forbidden(scopes=scopes):
                answer = _answer(request, reason, HTTPStatus.FORBIDDEN)
                if scopes:
                    answer.headers["WWW-Authenticate"] = scope_challenge(self._realm, scopes)
                return answer
            case Throttled(retry_after_s=seconds, policy=policy):
                return _answer(
                    request,
                    reason,
                    HTTPStatus.TOO_MANY_REQUESTS,
                    retry_after_s=seconds,
                    policy=policy,
                )
            case Unavailable(retry_after_s=seconds):
                return _answer(
                    request, reason, HTTPStatus.SERVICE_UNAVAILABLE, retry_after_s=seconds
                )

    def body(self, request: AnyRequest, error: BodyError) -> Response[bytes]:
        status = _STATUS_OF_BODY.get(error.reason, HTTPStatus.BAD_REQUEST)
        answer = _answer(request, error.reason, status, errors=error.errors)
        if error.reason in _CUT_OFF and is_http_1(request.scope):
            answer.headers["Connection"] = "close"  # the rest of the body is not waited for
        if error.reason is Reason.CONTENT_ENCODING_UNSUPPORTED:
            # Tells this 415 from the other one (RFC 9110 section 12.5.3).
            answer.headers["Accept-Encoding"] = "identity"
        return answer

    def unavailable(self, request: AnyRequest, error: UnavailableError) -> Response[bytes]:
        cause = type(error.__cause__).__name__ if error.__cause__ else None
        if error.reason is not Reason.LIMITS_UNAVAILABLE:  # `limits.away` has told, once for all
            _log.warning("unavailable", reason=error.reason, cause=cause, **_where(request))
        return _answer(
            request,
            error.reason,
            HTTPStatus.SERVICE_UNAVAILABLE,
            retry_after_s=error.retry_after_s,
        )

    def too_many_attempts(
        self, request: AnyRequest, error: TooManyAttemptsError
    ) -> Response[bytes]:
        refusal = Throttled(error.reason, error.retry_after_s, error.policy)
        return self.refused(request, RefusedError(refusal))

    def http(self, request: AnyRequest, error: HTTPException) -> Response[bytes]:
        """Answer Litestar's own exceptions; their detail may echo the query, so it stays here."""
        if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self.unexpected(request, error)
        status = HTTPStatus(error.status_code)
        reason = _REASON_OF_STATUS.get(status, Reason.REQUEST_INVALID)
        if reason is Reason.BODY_TOO_LARGE:  # Litestar looks at the length that is announced itself
            answer = self.body(request, BodyError(reason))
        else:
            answer = _answer(request, reason, status)
        answer.headers.update(error.headers or {})
        return answer

    def validation(self, request: AnyRequest, error: ValidationException) -> Response[bytes]:
        """Answer what Litestar found wrong with parameters, and a body that is not there."""
        found = [entry for entry in error.extra or [] if isinstance(entry, dict)]
        if any(entry.get("message") == _NO_BODY for entry in found):
            return _answer(request, Reason.BODY_MISSING, HTTPStatus.BAD_REQUEST)
        errors = [_parameter_error(entry) for entry in found]
        return _answer(request, Reason.VALIDATION_FAILED, HTTPStatus.BAD_REQUEST, errors=errors)

    def unexpected(self, request: AnyRequest, error: Exception) -> Response[bytes]:
        _log.error("unexpected error", exc_info=error, **_where(request))
        return _answer(request, Reason.INTERNAL_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _record_refusal(self, request: AnyRequest, error: RefusedError) -> None:
        self._record(
            request_event(
                AccessDenied,
                request.scope,
                principal=error.principal.subject if error.principal else None,
                reason=error.refusal.reason,
                method=request.method,
                path=context_of(request.scope).path,
            )
        )


def _parameter_error(entry: dict[str, Any]) -> FieldError:
    source = entry.get("source")  # a string, or an enumeration of strings
    place = str(getattr(source, "value", source or "request"))
    key = entry.get("key", "")
    pointer = f"/{place}" if (place, key) == ("body", "data") else f"/{place}/{key}"  # all of it
    return FieldError(pointer, str(entry.get("message", "is not valid")))


def _answer(
    request: AnyRequest,
    reason: Reason,
    status: int,
    *,
    errors: list[FieldError] | None = None,
    retry_after_s: int | None = None,
    policy: str = "",
) -> Response[bytes]:
    note_refusal(request.scope, reason)
    document = problem(
        reason,
        status,
        request_id=context_of(request.scope).request_id,
        errors=errors or (),
        policy=policy,
        retry_after_s=retry_after_s if policy else None,
    )
    headers = dict(NO_STORE)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return Response(
        msgspec.json.encode(document), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


def _where(request: AnyRequest) -> dict[str, str]:
    context = context_of(request.scope)
    return {
        **context.ids,
        "client_address": context.client_address,
        "method": request.method,
        "path": context.path,
    }
