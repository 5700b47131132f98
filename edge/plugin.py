"""Edge as a Litestar plugin: the same wiring for the service and for an app of your own."""

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.plugins import InitPlugin
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp

from edge.access.principal import Principal
from edge.accounts.client import GRANT_TYPES
from edge.composition import VERSION, Edge
from edge.forwarding import forward_auth, unknown_policies
from edge.http.bodies import BodyLimits, bounded_request
from edge.http.client_authentication import ClientAuthentication
from edge.http.enforcement import (
    PUBLIC,
    Enforcement,
    accepted_methods,
    accepts,
    principal_of,
)
from edge.http.exceptions import ExceptionHandlers
from edge.http.guards import declared_guards, hand_over, needs_principal
from edge.http.json_response import JsonResponse
from edge.http.layer import ContextLayer
from edge.http.oauth_errors import OAuthErrors
from edge.http.openapi.document import ApiDescription
from edge.http.openapi.structs import StrictStructs
from edge.http.options import name_all_methods
from edge.http.own_router import OwnRouter
from edge.http.rate_limits import RateLimits
from edge.http.routes import (
    admin,
    docs,
    examples,
    files,
    health,
    home,
    keys,
    login,
    metadata,
    metrics,
    oauth,
    oauth_tokens,
    sessions,
    users,
)
from edge.limits import faults_of_route
from edge.settings import Finding, Settings, SettingsError
from edge.surface import outermost_layer, trusted_proxies
from edge.telemetry.board import Board
from edge.telemetry.draining import Draining
from edge.tracing import traced

SERVICE = [home.home, health.live, health.ready, metrics.metrics]
TOKENS = [
    keys.jwks,
    login.login,
    login.refresh_token,
    login.logout,
    sessions.own_sessions,
    sessions.end_session,
    sessions.end_sessions,
    sessions.change_password,
]
ACCOUNTS = [users.me, users.user_by_id]

_TWO_CORS = Finding(
    "error",
    "cors_config",
    "of the app is set, and Edge answers for CORS too",
    'use [cors] of Edge\'s settings instead, or EdgePlugin(settings, without={"layer"})',
)

# What an app may do without.
Part = Literal[
    "layer", "authentication", "rate-limits", "token-routes", "account-routes", "service-routes"
]


class EdgePlugin(InitPlugin):
    """Protects every route of the app and adds Edge's own.

    `app = Litestar(handlers, plugins=[EdgePlugin(settings)])`; handlers may ask for
    `principal: NamedDependency[Principal]` and use the guards of `edge`. `without` leaves parts
    out; docs/plugin.md says what then is not there. `draining` is what the server says of itself,
    `board` where it counts.

    Raises:
        SettingsError: the settings, taken together, cannot be run with.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        without: Collection[Part] = (),
        draining: Draining | None = None,
        board: Board | None = None,
    ) -> None:
        self.edge = Edge(settings, draining, board)
        missing = unknown_policies(settings, [policy.name for policy in self.edge.policies])
        if missing:
            raise SettingsError(missing)
        self._without = frozenset(without)
        self._request_class = bounded_request(
            BodyLimits(settings.server.max_json_depth, settings.server.max_form_fields)
        )
        self.limits = RateLimits(
            self.edge.limiter,
            self.edge.policies,
            legacy=settings.ratelimit.legacy_fields,
            is_on="rate-limits" not in self._without,
        )

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        settings = self.edge.settings
        if app_config.cors_config and "layer" not in self._without:
            raise SettingsError([_TWO_CORS])
        if "authentication" in self._without:
            app_config.opt = {**PUBLIC, **app_config.opt}
        handlers = ExceptionHandlers(realm=settings.access.realm, record=self.edge.record)
        app_config.exception_handlers = {**handlers.table(), **app_config.exception_handlers}
        app_config.middleware = [
            Enforcement(self.edge.decision_point, self.limits),
            *app_config.middleware,
        ]
        app_config.dependencies = {
            "principal": Provide(provide_principal, sync_to_thread=False),
            **app_config.dependencies,
        }
        shows_docs = (
            settings.shows_docs
            and app_config.openapi_config is not None
            and "service-routes" not in self._without
        )
        routes = self._routes(shows_docs=shows_docs)
        app_config.route_handlers = [*app_config.route_handlers, routes]
        if shows_docs:
            app_config.route_handlers.append(self._docs_routes())
            app_config.plugins = [StrictStructs(), *app_config.plugins]
        app_config.lifespan = [self._lifespan, *app_config.lifespan]
        app_config.request_class = app_config.request_class or self._request_class
        app_config.response_class = app_config.response_class or JsonResponse
        app_config.multipart_form_part_limit = min(
            app_config.multipart_form_part_limit, settings.server.max_form_fields
        )
        app_config.logging_config = None  # Litestar's would take over the root logger
        return app_config

    @asynccontextmanager
    async def _lifespan(self, app: Litestar) -> AsyncIterator[None]:
        # Litestar has no hook outside its routing, so its own handler is wrapped, before the
        # server sends the first request.
        _check_routes(app, self.limits)
        for _, handler in _handlers(app):
            hand_over(handler)
        name_all_methods(app)
        inner = app.asgi_handler
        try:
            async with (
                traced(self._outermost(inner), self.edge.settings) as outermost,
                self.edge.running(),
            ):
                app.asgi_handler = outermost
                yield
        finally:
            app.asgi_handler = inner

    def _outermost(self, app: ASGIApp) -> ASGIApp:
        settings = self.edge.settings
        layer: ASGIApp = (
            ContextLayer(app, trusted_proxies(settings))
            if "layer" in self._without
            else outermost_layer(app, settings, self.limits, self.edge.draining, self.edge.metrics)
        )
        return forward_auth(layer, self.edge, self.limits) if settings.access.rules else layer

    def _routes(self, *, shows_docs: bool) -> OwnRouter:
        edge, settings = self.edge, self.edge.settings
        about = home.About(
            name=settings.service_name,
            version=VERSION,
            issuer=settings.base_url,
            shows_examples=settings.example_routes,
            shows_docs=shows_docs,
        )
        return OwnRouter(
            path="/",
            # Here, for Litestar 2 takes no notice of what a plugin says for the whole app; its own
            # default would be the limit where the setting is beyond that.
            request_max_body_size=settings.server.max_body_bytes,
            request_class=self._request_class,  # whatever the app's own is
            response_class=JsonResponse,
            opt=accepts("bearer"),  # also where the app around them is open
            route_handlers=[
                *self._unless("service-routes", SERVICE),
                *self._unless("token-routes", [*TOKENS, self._oauth_routes()]),
                *self._unless("account-routes", [*ACCOUNTS, admin.admin_routes()]),
                *(examples.EXAMPLES if settings.example_routes else []),
                *([files.file] if edge.files else []),
            ],
            dependencies={
                "about": _always(about),
                "accounts": _always(edge.accounts),
                "built_in_client": _always(edge.clients.built_in),
                "files": _always(edge.files),
                "health": _always(edge.health),
                "metrics": _always(edge.metrics),
                "public_keys": _always(edge.key_ring),
                "record": _always(edge.record),
                "sessions": _always(edge.sessions),
                "sign_in": _always(edge.sign_in),
            },
        )

    def _unless(self, part: Part, routes: list[Any]) -> list[Any]:
        return [] if part in self._without else routes

    def _oauth_routes(self) -> OwnRouter:
        edge, settings = self.edge, self.edge.settings
        grants = self._grants()
        about = metadata.make_metadata(
            settings.base_url, grants=grants, scopes=edge.clients.built_in.scopes
        )
        return OwnRouter(
            path="/",
            route_handlers=[
                oauth.token,
                oauth_tokens.revoke,
                oauth_tokens.introspect,
                metadata.metadata_route(about, max_age_s=settings.tokens.jwks_max_age_s),
            ],
            exception_handlers=OAuthErrors(settings.access.realm).table(),
            dependencies={
                "client_authentication": _always(ClientAuthentication(edge.clients, edge.record)),
                "client_tokens": _always(edge.client_tokens),
                "enabled_grants": _always(grants),
                "service_accounts": _always(edge.service_accounts),
            },
        )

    def _docs_routes(self) -> OwnRouter:
        scopes = self.edge.settings.access.scopes
        return docs.docs_routes(ApiDescription(self.limits, scopes=scopes, grants=self._grants()))

    def _grants(self) -> frozenset[str]:
        off = frozenset() if self.edge.settings.tokens.password_grant else frozenset({"password"})
        return frozenset(GRANT_TYPES) - off


def _handlers(app: Litestar) -> Iterator[tuple[str, BaseRouteHandler]]:
    for route in app.routes:
        handlers = route.route_handlers if isinstance(route, HTTPRoute) else [route.route_handler]
        for handler in handlers:
            yield route.path, handler


def _check_routes(app: Litestar, limits: RateLimits) -> None:
    """See that what routes declare holds: a policy that is not there would limit nobody."""
    findings = [
        finding
        for path, handler in _handlers(app)
        for finding in _faults_of_handler(path, handler, limits)
    ]
    if findings:
        raise SettingsError(findings)


def _faults_of_handler(
    place: str, handler: BaseRouteHandler, limits: RateLimits
) -> Iterator[Finding]:
    yield from faults_of_route(handler.opt, place)
    for name in limits.unknown_names(handler.opt):
        yield Finding(
            "error",
            place,
            f"names the rate policy {name!r}, which is not there",
            "add it to [[ratelimit.policies]], or mend the name",
        )
    if not accepted_methods(handler.opt) and any(map(needs_principal, declared_guards(handler))):
        yield Finding(
            "error",
            place,
            "has a guard and is public, so that there is nobody to ask about",
            'declare it with opt=accepts("bearer"), or remove the guard',
        )


def provide_principal(request: ASGIConnection[Any, Any, Any, Any]) -> Principal:
    """Give the principal to handlers that ask for it by the name `principal`."""
    return principal_of(request)


def _always(value: object) -> Provide:
    return Provide(lambda: value, sync_to_thread=False, use_cache=True)
