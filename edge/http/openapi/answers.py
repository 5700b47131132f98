"""How answers are described: errors with all their codes, and the header fields that matter. Pure.

What is the same everywhere stands in `components`, and is referred to.
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Final

import msgspec

from edge.http.oauth import OAuthError
from edge.http.openapi.declaration import Code, Declaration, Refusals
from edge.http.problems import MEDIA_TYPE, Problem, problem
from edge.reasons import Reason

Json = dict[str, Any]

_JSON: Final = "application/json"
# Apart from what an app of one's own may have by the same name.
_PREFIX: Final = "edge."
_REQUEST_ID: Final = "01998a53d97e7c1f8f4e0a2b6c3d5e71"
_RETRY_AFTER_S: Final = 12
_TEXT: Final = {"type": "string"}
_SHOWN: Final = ("RateLimit-Policy", "RateLimit")

_MEANINGS: Final = {
    200: "Done.",
    201: "Made.",
    204: "Done; there is no body.",
    400: "The request cannot be understood, or asks for what cannot be.",
    401: "The credentials do not prove who is asking; `WWW-Authenticate` says what would.",
    403: "It is known who is asking, and they may not.",
    404: "There is nothing here for who is asking.",
    408: "The body did not come in time.",
    409: "There is something already that it would clash with.",
    412: "It is not in the state that the request asks for.",
    413: "The body is too large.",
    414: "The path and the query are too long.",
    415: "The body is of a type, or in a coding, that is not taken here.",
    416: "The range that is asked for is not there.",
    429: "There were too many requests; `Retry-After` says when to come back.",
    431: "There are too many header fields.",
    500: "Something went wrong inside of Edge.",
    503: "Edge cannot decide now, through no fault of the request; try again.",
}

_HEADERS: Final[dict[str, Json]] = {
    "X-Request-Id": {
        "description": "Names the request in the log; that of the request, if it has one.",
        "required": True,
        "schema": _TEXT,
        "example": _REQUEST_ID,
    },
    "WWW-Authenticate": {
        "description": "One challenge for each way of authentication that would do.",
        "required": True,
        "schema": _TEXT,
        "example": 'Bearer realm="edge", error="invalid_token"',
    },
    "Retry-After": {
        "description": "How many seconds to wait.",
        "schema": {"type": "integer", "minimum": 0},
        "example": _RETRY_AFTER_S,
    },
    "RateLimit-Policy": {
        "description": "The limits that the request counts for: units `q` in `w` seconds.",
        "schema": _TEXT,
        "example": '"principal";q=600;w=60',
    },
    "RateLimit": {
        "description": "How they stand: `r` units are left, and all of them again in `t` seconds.",
        "schema": _TEXT,
        "example": '"principal";r=599;t=60',
    },
}
_OF_STATUS: Final = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


def describe_errors(refusals: Refusals) -> dict[str, Json]:
    """Describe the errors of a route, by status."""
    return {str(status): _error(status, codes) for status, codes in refusals.items()}


def add_fields(answers: dict[str, Json], route: Declaration) -> None:
    """Add the fields that answers to requests for a route have."""
    shown = [p for p in route.policies if p.is_about_the_caller and not p.is_shadow]
    names = ["X-Request-Id", *(_SHOWN if shown else ())]
    own = {name: {"description": text, "schema": _TEXT} for name, text in route.fields.items()}
    for status, answer in answers.items():
        answer["headers"] = {
            **(own if status < "400" else {}),
            **answer.get("headers", {}),
            **_fields(names),
        }


def say_what_happened(answers: dict[str, Json]) -> None:
    """Put our words where Litestar has those of the HTTP specification."""
    for status, answer in answers.items():
        if status.isdigit() and answer["description"] == HTTPStatus(int(status)).description:
            answer["description"] = _MEANINGS.get(int(status), answer["description"])


def shared_components(refusals: Iterable[Refusals]) -> dict[str, Json]:
    """Give the components that descriptions made here refer to."""
    template = f"#/components/schemas/{_PREFIX}{{name}}"
    _, schemas = msgspec.json.schema_components([Problem, OAuthError], ref_template=template)
    examples = {
        f"{_PREFIX}{code}": _example(code, status)
        for statuses in refusals
        for status, codes in statuses.items()
        for code in codes
    }
    return {
        "schemas": {
            f"{_PREFIX}{name}": {**schema, "description": cleandoc(schema["description"])}
            for name, schema in schemas.items()
        },
        "headers": {f"{_PREFIX}{name}": header for name, header in _HEADERS.items()},
        "examples": dict(sorted(examples.items())),
    }


def _error(status: int, codes: Sequence[Code]) -> Json:
    reasons = [str(code) for code in codes if isinstance(code, Reason)]
    others = [code for code in codes if not isinstance(code, Reason)]
    content = {}
    if reasons:
        content[MEDIA_TYPE] = _content("Problem", "code", reasons)
    if others:
        content[_JSON] = _content("OAuthError", "error", others)
    names = [_OF_STATUS[status]] if status in _OF_STATUS else []
    return {
        "description": _MEANINGS.get(status, HTTPStatus(status).phrase),
        "headers": _fields(names),
        "content": content,
    }


def _content(schema: str, member: str, known: Sequence[str]) -> Json:
    narrowed = {"properties": {member: {"enum": list(known)}}}
    return {
        "schema": {"allOf": [_reference("schemas", schema), narrowed]},
        "examples": {code: _reference("examples", code) for code in known},
    }


def _example(code: Code, status: int) -> Json:
    if not isinstance(code, Reason):
        return {"value": {"error": code, "error_description": "The reason, for people"}}
    is_limited = code is Reason.RATE_LIMITED
    document = problem(
        code,
        status,
        request_id=_REQUEST_ID,
        policy="principal" if is_limited else "",
        retry_after_s=_RETRY_AFTER_S if is_limited else None,
    )
    return {"summary": document.title, "value": msgspec.to_builtins(document)}


def _fields(names: Iterable[str]) -> Json:
    return {name: _reference("headers", name) for name in names}


def _reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{_PREFIX}{name}"}
