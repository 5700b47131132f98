"""What may not be in `[cors]` and `[[cors.policies]]`, beyond types and bounds."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from edge.settings.findings import Finding
from edge.settings.model import Cors, CorsPolicy, Settings

_SUBDOMAIN: Final = "://*."


def check_cors(settings: Settings) -> Iterator[Finding]:
    """Find everything wrong with the rule for all paths, and with those by path."""
    rules: list[tuple[str, Cors | CorsPolicy]] = [("EDGE_CORS_", settings.cors)]
    for number, policy in enumerate(settings.cors.policies):
        place = f"EDGE_CORS_POLICIES[{number}]."
        rules.append((place, policy))
        for path in policy.paths:
            if not path.startswith(("/", "*")):
                fix = "begin it with a slash"
                yield Finding("error", f"{place}paths", f"has {path!r}, which no path is", fix)
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
    before, star, domain = text.partition(_SUBDOMAIN)
    if star and "." not in domain:  # everybody may have a name there
        return False
    try:
        url = urlsplit(f"{before}://{domain}" if star else text)
        port = url.port  # raises where it is no number
    except ValueError:
        return False
    is_default = port == {"http": 80, "https": 443}.get(url.scheme)
    plain = f"{url.scheme}://{url.netloc}"
    return (
        url.scheme in ("http", "https")
        and bool(url.hostname)
        and port != 0
        and not is_default  # browsers leave it out
        and plain == (f"{before}://{domain}" if star else text)
        and plain == plain.lower()
        and plain.isascii()
        and not set("@*") & set(url.netloc)
    )
