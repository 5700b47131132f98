"""Forward-auth as the settings describe it."""

from collections.abc import Sequence

from litestar.types import ASGIApp

from edge.access.access_rules import AccessRule, AccessRules
from edge.composition import Edge
from edge.http.arrival import TrustedProxies
from edge.http.forward.gate import Gate
from edge.http.forward.handler import ForwardAuth
from edge.http.forward.identity import Identity
from edge.http.rate_limits import RateLimits
from edge.settings import Finding, Settings
from edge.settings.model import AccessRule as AccessRuleSettings
from edge.surface import security_headers_of
from edge.telemetry.counting import RequestCounts

# Where everything is tried on one machine.
_LOOPBACK = ("127.0.0.0/8", "::1/128")


def forward_auth(app: ASGIApp, edge: Edge, limits: RateLimits) -> ForwardAuth:
    """Put forward-auth before an app."""
    settings = edge.settings
    return ForwardAuth(
        app,
        proxies=_peers(settings),
        gate=Gate(
            access_rules(settings),
            edge.decision_point,
            limits,
            Identity(edge.usernames, edge.assertions),
        ),
        realm=settings.access.realm,
        headers=security_headers_of(settings),
        record=edge.record,
        draining=edge.draining,
        counts=RequestCounts(edge.metrics, "forward"),
    )


def access_rules(settings: Settings) -> AccessRules:
    """Give the rules, in their order."""
    return AccessRules([_rule(rule) for rule in settings.access.rules])


def unknown_policies(settings: Settings, known: Sequence[str]) -> list[Finding]:
    """Find the rules that name rate policies which are not there."""
    return [
        Finding(
            "error",
            f"EDGE_ACCESS_RULES[{number}].rate_policies",
            f"names {name!r}, which is not there",
            "add it to [[ratelimit.policies]], or mend the name",
        )
        for number, rule in enumerate(settings.access.rules)
        for name in rule.rate_policies
        if name not in known
    ]


def _peers(settings: Settings) -> TrustedProxies:
    """Say who may ask: trusted proxies, and in development this machine."""
    here = () if settings.is_production else _LOOPBACK
    return TrustedProxies((*settings.proxies.trusted, *here), settings.proxies.fields)


def _rule(rule: AccessRuleSettings) -> AccessRule:
    return AccessRule(
        name=rule.name,
        hosts=rule.hosts,
        paths=rule.paths,
        methods=rule.methods,
        is_public=rule.public,
        authentication=frozenset(rule.authentication),
        roles=frozenset(rule.roles),
        scopes=frozenset(rule.scopes),
        rate_policies=rule.rate_policies,
        audience=rule.audience,
        is_shadow=rule.shadow,
    )
