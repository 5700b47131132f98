"""What may not be in `[cors]` and `[[cors.policies]]`, beyond types and bounds."""

import re
from collections.abc import Iterator
from typing import Final

from edge.settings.findings import Finding
from edge.settings.model import Cors, CorsPolicy, Settings
from edge.settings.path_patterns import faults_of_patterns

# As browsers write it when they have read a URL: names in lower case and ASCII.
_LABEL: Final = r"[a-z0-9_-]+"
_ORIGIN: Final = re.compile(
    rf"(https?)://(\*\.)?({_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:]+\])(?::([1-9][0-9]{{0,4}}))?"
)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}  # which browsers leave out
_LARGEST_PORT: Final = 65_535


def check_cors(settings: Settings) -> Iterator[Finding]:
    """Find everything wrong with the rule for all paths, and with those by path."""
    rules: list[tuple[str, Cors | CorsPolicy]] = [("EDGE_CORS_", settings.cors)]
    for number, policy in enumerate(settings.cors.policies):
        place = f"EDGE_CORS_POLICIES[{number}]."
        rules.append((place, policy))
        for problem, fix in faults_of_patterns(policy.paths):
            yield Finding("error", f"{place}paths", problem, fix)
    for place, rule in rules:
        name = f"{place}allow_origins"
        variable = name.upper() if rule is settings.cors else name
        yield from _origins(variable, rule, is_production=settings.is_production)


def _origins(variable: str, rule: Cors | CorsPolicy, *, is_production: bool) -> Iterator[Finding]:
    if "*" in rule.allow_origins and rule.allow_credentials:
        problem = "has * while credentials are allowed: any page could act as the user"
        fix = "list the exact origins, or do not allow credentials"
        yield Finding("error", variable, problem, fix)
    for origin in rule.allow_origins:
        if origin == "null":
            problem = "has null, which every sandboxed page and every local file is"
            yield Finding("warning", variable, problem, "serve that page from an origin")
        elif origin != "*" and not _is_origin(origin):
            fix = "write it like https://app.test, in lower case, or https://*.app.test"
            yield Finding("error", variable, f"has {origin!r}, not an origin", fix)
        elif is_production and origin.startswith("http://"):
            problem = f"has {origin}: whoever is on the way can write that page"
            yield Finding("warning", variable, problem, "serve it over https")


def _is_origin(text: str) -> bool:
    """Say whether browsers would send it so (RFC 6454 section 6.2), or with `*` as one label."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return False
    scheme, star, host, port = match.groups()
    if star and "." not in host:  # everybody may have a name there
        return False
    return port is None or (port != _DEFAULT_PORTS[scheme] and int(port) <= _LARGEST_PORT)
