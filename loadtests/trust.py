"""What an Edge under test has to be told: to trust the generator's tokens, and forward-auth rules.

Where it also trusts the generator's address (`EDGE_PROXIES_TRUSTED`), that can name clients.
"""

import json
from pathlib import Path
from typing import Any, Final

ISSUER: Final = "https://loadtest.invalid"
PREFIX: Final = "loadtest"  # what stands before its subjects at Edge

# Edge's own names, which the tokens use too: the roles and scopes of its examples.
ROLES: Final = ("user", "moderator", "admin")
SCOPES: Final = ("profile", "moderate", "admin")

RULES: Final[list[dict[str, Any]]] = [
    {"name": "loadtest-open", "paths": ["/open/*"], "public": True},
    {"name": "loadtest-staff", "paths": ["/staff/*"], "roles": ["admin"]},
    {"name": "loadtest-orders", "paths": ["/orders/*"]},
]


def edge_settings(key_set: Path, audience: str = "edge") -> dict[str, str]:
    """Give the variables of an Edge that load tests may run against."""
    trusted = {
        "issuer": ISSUER,
        "audiences": [audience],
        "subject_prefix": PREFIX,
        "jwks_file": str(key_set.absolute()),
        "algorithms": ["ES256"],
        "roles_claim": "roles",
        "roles": {name: name for name in ROLES},
        "scopes": {name: name for name in SCOPES},
    }
    return {"EDGE_ISSUERS": json.dumps([trusted]), "EDGE_ACCESS_RULES": json.dumps(RULES)}
