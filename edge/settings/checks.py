"""What a configuration may not be, beyond the type of each value.

Errors stop the start; warnings are for `edge check`.
"""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from edge.settings.access_rule_checks import check_access_rules
from edge.settings.cors_checks import check_cors
from edge.settings.findings import Finding
from edge.settings.issuer_checks import check_issuers
from edge.settings.model import Settings
from edge.settings.path_patterns import faults_of_patterns
from edge.settings.rate_policies import rate_policies
from edge.settings.secret import decode_secret_key
from edge.settings.served_folder import check_served_folder
from edge.settings.server_checks import check_server
from edge.stores.redis_url import RedisUrlError, read_redis_url

GENERATE_KEY = "generate one with: openssl rand -base64 32"

# OWASP Password Storage Cheat Sheet: argon2id with at least 19 MiB and 2 passes, or 46 MiB and 1.
WEAKEST_ARGON2_KIB_PASSES = 19 * 1024 * 2


def check(settings: Settings) -> list[Finding]:
    """Find everything wrong with these settings as a whole."""
    rules = [
        _secret_key,
        _secret_key_previous,
        _issuer,
        _database,
        _redis,
        check_issuers,
        _proxies,
        check_served_folder,
        check_server,
        check_cors,
        _header_overrides,
        check_access_rules,
        _refresh,
        _passwords,
        _roles,
        rate_policies,
    ]
    if settings.is_production:
        rules += [_production]
    return [finding for rule in rules for finding in rule(settings)]


def _error(variable: str, problem: str, fix: str) -> Finding:
    return Finding("error", variable, problem, fix)


def _warning(variable: str, problem: str, fix: str) -> Finding:
    return Finding("warning", variable, problem, fix)


def _secret_key(settings: Settings) -> Iterator[Finding]:
    if settings.secret_key is None:
        if settings.is_production:
            yield _error("EDGE_SECRET_KEY", "is not set, and production needs it", GENERATE_KEY)
        return
    try:
        decode_secret_key(settings.secret_key.reveal())
    except ValueError as error:
        yield _error("EDGE_SECRET_KEY", str(error), GENERATE_KEY)


def _secret_key_previous(settings: Settings) -> Iterator[Finding]:
    variable, previous = "EDGE_SECRET_KEY_PREVIOUS", settings.secret_key_previous
    if previous is None:
        return
    try:
        decode_secret_key(previous.reveal())
    except ValueError as error:
        yield _error(variable, str(error), "set it to the key that is being exchanged")
        return
    if previous == settings.secret_key:
        yield _error(variable, "is the same as EDGE_SECRET_KEY", "remove it")


def _issuer(settings: Settings) -> Iterator[Finding]:
    variable = "EDGE_ISSUER"
    fix = "set it to the public base URL of this Edge, such as https://id.example.com"
    if settings.issuer is None:
        if settings.is_production:
            yield _error(variable, "is not set, and production needs it", fix)
        return
    try:
        url = urlsplit(settings.issuer)
        host = url.hostname
        _ = url.port  # raises where it is no number
    except ValueError:
        yield _error(variable, "is not a URL", fix)
        return
    if url.scheme not in ("http", "https") or not host:
        yield _error(variable, "is not an http or https URL", fix)
    elif url.query or url.fragment or url.username or settings.issuer.endswith("/"):
        yield _error(variable, "has a query, a fragment, a user or a trailing slash", fix)
    elif settings.is_production and url.scheme != "https":
        yield _error(variable, "is not https, and production needs it", fix)


def _database(settings: Settings) -> Iterator[Finding]:
    if not settings.database_url.startswith(("sqlite:///", "postgresql://")):
        yield _error(
            "EDGE_DATABASE_URL",
            "is neither sqlite:///... nor postgresql://...",
            "set it to postgresql://user:password@host/name, or leave it out for SQLite",
        )


def _redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis.url is None:
        return
    variable = "EDGE_REDIS_URL"
    try:
        place = read_redis_url(settings.redis.url.reveal())
    except RedisUrlError as error:
        yield _error(variable, error.problem, error.fix)
        return
    for file in place.files:
        if not Path(file).is_file():
            yield _error(variable, f"names {file}, which is no file", "mount it or mend the path")


def _proxies(settings: Settings) -> Iterator[Finding]:
    for network in settings.proxies.trusted:
        try:
            parsed = ipaddress.ip_network(network)
        except ValueError as error:
            yield _error("EDGE_PROXIES_TRUSTED", f"is wrong: {error}", "write it like 10.0.0.0/8")
            continue
        if parsed.prefixlen == 0:
            yield _error(
                "EDGE_PROXIES_TRUSTED",
                f"trusts everybody ({network}), so that anyone may claim any address",
                "name the networks of your load balancers only",
            )
    fields = settings.proxies.fields
    if "forwarded" in fields and len(fields) > 1:
        yield _error(
            "EDGE_PROXIES_FIELDS",
            "has forwarded beside others, and a client could write the ones your proxies do not",
            "name forwarded alone, or the X-Forwarded fields that they do write",
        )


def _header_overrides(settings: Settings) -> Iterator[Finding]:
    for number, override in enumerate(settings.headers.overrides):
        for problem, fix in faults_of_patterns(override.paths):
            yield _error(f"EDGE_HEADERS_OVERRIDES[{number}].paths", problem, fix)


def _refresh(settings: Settings) -> Iterator[Finding]:
    tokens = settings.tokens
    if tokens.refresh_idle_s > tokens.refresh_absolute_s:
        yield _error(
            "EDGE_TOKENS_REFRESH_IDLE_S",
            "is longer than EDGE_TOKENS_REFRESH_ABSOLUTE_S",
            "make it at most as long",
        )
    if tokens.refresh_overlap_s > 30:  # noqa: PLR2004  # a thief may ride along that long
        yield _warning(
            "EDGE_TOKENS_REFRESH_OVERLAP_S",
            "lets a stolen refresh token be used beside the real one for more than 30 s",
            "make it 10",
        )
    if tokens.password_grant:
        yield _warning(
            "EDGE_TOKENS_PASSWORD_GRANT",
            "is on: RFC 9700 section 2.4 forbids grant_type=password for third-party clients",
            "use /login, and set it to false",
        )


def _passwords(settings: Settings) -> Iterator[Finding]:
    passwords = settings.passwords
    if passwords.min_length > passwords.max_length:
        yield _error(
            "EDGE_PASSWORDS_MIN_LENGTH",
            "is more than EDGE_PASSWORDS_MAX_LENGTH",
            "make it at most as much",
        )
    if passwords.memory_kib < 8 * passwords.parallelism:  # RFC 9106 section 3.1
        yield _error(
            "EDGE_PASSWORDS_MEMORY_KIB",
            "is less than 8 KiB for each of EDGE_PASSWORDS_PARALLELISM lanes",
            "raise it, or lower the parallelism",
        )


def _roles(settings: Settings) -> Iterator[Finding]:
    for role, included in settings.access.role_includes.items():
        if role in included:
            yield _error(
                "EDGE_ACCESS_ROLE_INCLUDES", f"has {role!r} include itself", "remove the loop"
            )
    for scope in settings.access.scopes:
        if not scope or any(not (c == "!" or "#" <= c <= "~") or c == "\\" for c in scope):
            yield _error(
                "EDGE_ACCESS_SCOPES",
                f"has {scope!r}, not a scope token (RFC 6749 section 3.3)",
                'use printable ASCII without spaces, " and \\',
            )


def _production(settings: Settings) -> Iterator[Finding]:
    if settings.demo:
        yield _error("EDGE_DEMO", "is on in production", "remove it: demo accounts are for trying")
    if settings.shows_docs:
        yield _warning(
            "EDGE_DOCS",
            "is on in production: anybody can read which routes there are",
            "leave it at auto, unless that is wanted",
        )
    if settings.server.workers > 1 and settings.redis.url is None:
        yield _error(
            "EDGE_SERVER_WORKERS",
            "is more than one, and without Redis each would count limits by itself",
            "set EDGE_REDIS_URL, or run one worker",
        )
    passwords = settings.passwords
    if passwords.memory_kib * passwords.time_cost < WEAKEST_ARGON2_KIB_PASSES:
        yield _error(
            "EDGE_PASSWORDS_MEMORY_KIB",
            "and EDGE_PASSWORDS_TIME_COST are below 19 MiB and 2 passes",
            "leave both at their defaults",
        )
