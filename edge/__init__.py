"""Edge: authentication, authorization and rate limits for HTTP services behind a load balancer."""

from edge.access.principal import Principal
from edge.app import create_app
from edge.http.enforcement import PUBLIC, accepts, spend
from edge.http.guards import requires_any_role, requires_role, requires_scope
from edge.http.rate_limits import UNLIMITED
from edge.http.security_headers import security_headers
from edge.plugin import EdgePlugin
from edge.ratelimit.policy import Policy
from edge.settings import Settings, load_settings

__all__ = [
    "PUBLIC",
    "UNLIMITED",
    "EdgePlugin",
    "Policy",
    "Principal",
    "Settings",
    "accepts",
    "create_app",
    "load_settings",
    "requires_any_role",
    "requires_role",
    "requires_scope",
    "security_headers",
    "spend",
]
