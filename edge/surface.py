"""The outermost layer as the settings describe it."""

from litestar.types import ASGIApp

from edge.http.arrival import TrustedProxies
from edge.http.body_stream import StreamLimits
from edge.http.cors import LOCALHOST, Cors, CorsPolicy
from edge.http.layer import OutermostLayer
from edge.http.rate_fields import LEGACY_FIELDS
from edge.http.rate_limits import RateLimits
from edge.http.reply import Completion
from edge.http.request_head import HeadLimits
from edge.http.security_headers import HeaderOverride, SecurityHeaders
from edge.settings import Settings
from edge.settings.model import Cors as CorsSettings
from edge.settings.model import CorsPolicy as CorsPolicySettings
from edge.telemetry.counting import RequestCounts
from edge.telemetry.draining import Draining
from edge.telemetry.metrics import Metrics


def outermost_layer(
    app: ASGIApp,
    settings: Settings,
    limits: RateLimits,
    draining: Draining,
    metrics: Metrics,
) -> OutermostLayer:
    """Put the layer around an app."""
    server = settings.server
    return OutermostLayer(
        app,
        proxies=trusted_proxies(settings),
        head_limits=HeadLimits(server.max_header_fields, server.max_url_bytes),
        stream_limits=StreamLimits(server.max_body_bytes, server.body_timeout_s),
        cors=Cors(cors_policies(settings)),
        completion=Completion(security_headers_of(settings), limits, draining),
        counts=RequestCounts(metrics, "route"),
    )


def trusted_proxies(settings: Settings) -> TrustedProxies:
    """Say whose fields about clients are believed."""
    return TrustedProxies(settings.proxies.trusted, settings.proxies.fields)


def cors_policies(settings: Settings) -> list[CorsPolicy]:
    """Give the rules of CORS: first those by path, then that for all other paths."""
    by_path = [_policy(one, one.paths, settings) for one in settings.cors.policies]
    return [*by_path, _policy(settings.cors, (), settings)]


def security_headers_of(settings: Settings) -> SecurityHeaders:
    overrides = [
        HeaderOverride(
            paths=one.paths,
            profile=one.profile,
            fields={str(name): value for name, value in one.fields.items()},
        )
        for one in settings.headers.overrides
    ]
    return SecurityHeaders(settings.headers.hsts, overrides)


def _policy(
    rule: CorsSettings | CorsPolicySettings, paths: tuple[str, ...], settings: Settings
) -> CorsPolicy:
    legacy = LEGACY_FIELDS if settings.ratelimit.legacy_fields else ()
    return CorsPolicy(
        paths=paths,
        origins=rule.allow_origins,
        any_port_of=() if settings.is_production else LOCALHOST,
        methods=rule.allow_methods,
        headers=rule.allow_headers,
        exposed=(*rule.expose_headers, *legacy),
        max_age_s=rule.max_age_s,
        credentials=rule.allow_credentials,
    )
