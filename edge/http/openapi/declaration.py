"""What a route says of itself where it is declared, for whoever describes it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar.handlers import HTTPRouteHandler

from edge.access.principal import Method
from edge.http.bodies import FORM
from edge.http.enforcement import accepted_methods
from edge.http.guards import RoleGuard, ScopeGuard, declared_guards
from edge.http.oauth import OAuthErrorCode, OAuthRefusedError
from edge.ratelimit.policy import Policy
from edge.reasons import Reason

# What a handler refuses on top of what follows from its declaration:
# `@get("/books/{isbn:str}", refuses={404: [Reason.NOT_FOUND]})`.
_REFUSES: Final = "refuses"
# What Litestar holds a parameter to; a format alone it does not look at.
_BOUNDS: Final = frozenset({"minLength", "maxLength", "pattern", "enum", "const"})

Code = Reason | OAuthErrorCode
Refusals = Mapping[int, Sequence[Code]]


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """A route as it is declared, and the policies on requests that it meets.

    `roles` has the sufficient roles of each guard, `is_guarded` says that there are guards which
    are not Edge's, `is_checked` that there are parameters which may be wrong. `body` is the media
    type of the body, if there is one; `is_oauth` says that it is a form as in RFC 6749.
    `fields` has what is said of the header fields of an answer that is no error.
    """

    methods: frozenset[Method]
    roles: tuple[tuple[str, ...], ...]
    scopes: tuple[str, ...]
    is_guarded: bool
    is_checked: bool
    body: str
    is_oauth: bool
    fields: Mapping[str, str]
    policies: tuple[Policy, ...]
    refuses: Refusals


def read_declaration(
    handler: HTTPRouteHandler, operation: Mapping[str, Any], policies: Sequence[Policy]
) -> Declaration:
    """Read it from a handler and what Litestar says of its parameters and its body."""
    guards = declared_guards(handler)
    body = next(iter(operation.get("requestBody", {}).get("content", {})), "")
    of_roles = [guard.roles for guard in guards if isinstance(guard, RoleGuard)]
    of_scopes = [guard.scopes for guard in guards if isinstance(guard, ScopeGuard)]
    return Declaration(
        methods=accepted_methods(handler.opt),
        roles=tuple(of_roles),
        scopes=tuple(scope for scopes in of_scopes for scope in scopes),
        is_guarded=len(guards) > len(of_roles) + len(of_scopes),
        is_checked=any(map(_may_be_wrong, operation.get("parameters", ()))),
        body=body,
        is_oauth=body == FORM and OAuthRefusedError in handler.resolve_exception_handlers(),
        fields={
            field.name: field.description or ""
            for field in sorted(handler.resolve_response_headers(), key=lambda field: field.name)
        },
        policies=tuple(policies),
        refuses=handler.opt.get(_REFUSES, {}),
    )


def _may_be_wrong(parameter: Mapping[str, Any]) -> bool:
    schema = parameter.get("schema", {})
    is_any_text = schema.get("type") == "string" and _BOUNDS.isdisjoint(schema)
    can_be_missing = parameter.get("required", False) and parameter.get("in") != "path"
    return can_be_missing or not is_any_text
