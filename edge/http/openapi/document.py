"""The whole document: every route of the app, with all it can answer."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.serialization import encode_json

from edge.http.assets import Asset, make_asset
from edge.http.openapi.answers import (
    add_fields,
    describe_errors,
    say_what_happened,
    shared_components,
)
from edge.http.openapi.declaration import Declaration, Refusals, read_declaration
from edge.http.openapi.refusals import refusals_of
from edge.http.openapi.security import needs, requirements, security_schemes
from edge.http.rate_limits import RateLimits
from edge.http.tags import DESCRIPTIONS

Json = dict[str, Any]

# What Litestar says where it was told nothing. It would be wrong behind a proxy that adds a path.
_NO_SERVERS: Final = [{"url": "/"}]


class ApiDescription:
    """The document of an app. `scopes` and `grants` are as in `security_schemes`."""

    def __init__(
        self,
        limits: RateLimits,
        *,
        scopes: Mapping[str, Collection[str]],
        grants: Collection[str],
    ) -> None:
        self._limits = limits
        self._schemes = security_schemes(scopes, grants)
        self._made: Asset | None = None

    def of(self, app: Litestar, place: str) -> Asset:
        """Give it in JSON, for who finds it at the path `place`.

        It is made when it is asked for first, for all routes are known then.
        """
        if self._made is None:
            self._made = make_asset(encode_json(self._describe(app, place)), "application/json")
        return self._made

    def _describe(self, app: Litestar, place: str) -> Json:
        document = app.openapi_schema.to_schema()
        if document["servers"] == _NO_SERVERS:
            document["servers"] = [{"url": "../" * (place.count("/") - 1) or "./"}]
        refusals = []
        for method, path, handler in _handlers(app):
            operation = document["paths"].get(path, {}).get(method)
            if operation is not None:
                policies = self._limits.met(handler.opt, method.upper(), path, path)
                route = read_declaration(handler, operation, policies)
                refusals.append(refusals_of(route))
                _complete(operation, route, refusals[-1], has_body=method != "head")
        components = document.setdefault("components", {})
        for kind, shared in shared_components(refusals).items():
            components.setdefault(kind, {}).update(shared)
        components.setdefault("securitySchemes", {}).update(self._schemes)
        document["tags"] = _tags(document)
        return document


def _handlers(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Give all handlers, each with its method and its path as the document has them."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                yield method.lower(), route.path_format, handler


def _complete(operation: Json, route: Declaration, refusals: Refusals, *, has_body: bool) -> None:
    answers = operation["responses"]
    answers.pop("400", None)  # Litestar has one wherever there is a parameter
    answers.update(describe_errors(refusals))
    say_what_happened(answers)
    add_fields(answers, route)
    if not has_body:
        for answer in answers.values():
            answer.pop("content", None)
    operation["security"] = requirements(route)
    if said := [text for text in (operation.get("description"), needs(route)) if text]:
        operation["description"] = "\n\n".join(said)


def _tags(document: Json) -> list[Json]:
    """Give the headings: those of the app, and those of Edge that routes are under."""
    own = document.get("tags", [])
    named = {tag["name"] for tag in own}
    used = {
        tag
        for operations in document["paths"].values()
        for operation in operations.values()
        for tag in operation.get("tags", ())
    }
    described = [{"name": name, "description": text} for name, text in DESCRIPTIONS.items()]
    return [*own, *(tag for tag in described if tag["name"] in used - named)]
