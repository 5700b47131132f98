"""Edge: authentication, authorization and rate limits for HTTP services behind a load balancer."""

from edge.access.principal import Principal
from edge.app import create_app
from edge.http.enforcement import PUBLIC, accepts
from edge.http.guards import requires_any_role, requires_role, requires_scope
from edge.plugin import EdgePlugin
from edge.settings import Settings, load_settings

__all__ = [
    "PUBLIC",
    "EdgePlugin",
    "Principal",
    "Settings",
    "accepts",
    "create_app",
    "load_settings",
    "requires_any_role",
    "requires_role",
    "requires_scope",
]
