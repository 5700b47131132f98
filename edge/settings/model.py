"""Every setting: its type, default, bounds and meaning.

The name of a field is its TOML key; in the environment it is `EDGE_<SECTION>_<FIELD>`, or
`EDGE_<FIELD>` for the ones outside a section. The description completes the sentence
"set it to ..." and is what error messages and `docs/settings.md` say.
"""

import os
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from edge.settings.secret import Secret

Names = tuple[str, ...]

# Longer than most load balancers take to see a red health check: two of 2 seconds each.
_DRAIN_S: Final = 5.0

DEFAULT_SCOPES: dict[str, tuple[str, ...]] = {
    "profile": ("user", "moderator", "admin"),
    "moderate": ("moderator", "admin"),
    "admin": ("admin",),
}

# Nobody can ask these; who listens there is reached at the others.
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nothing listens by it


def _described(text: str) -> Meta:
    return Meta(description=text)


# RFC 9110 section 5.6.2.
_FieldName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}\Z")]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The habits all sections share."""


class Server(_Section, frozen=True):
    host: Annotated[str, _described("the address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535), _described("the port to listen on")] = 8000
    workers: Annotated[
        int, Meta(ge=1, le=256), _described("how many worker processes to run; one a core")
    ] = 1
    max_body_bytes: Annotated[
        int,
        Meta(ge=1024, le=64 * 1024 * 1024),
        _described("the largest request body accepted, in bytes"),
    ] = 64 * 1024
    body_timeout_s: Annotated[
        float,
        Meta(gt=0, le=600),
        _described("seconds within which a request body has to come, from when it is asked for"),
    ] = 20.0
    max_header_fields: Annotated[
        int,
        Meta(ge=16, le=100),  # Granian takes no more
        _described("how many header fields a request may have"),
    ] = 64
    max_url_bytes: Annotated[
        int,
        Meta(ge=256, le=65_534),  # Granian takes no more
        _described("how long the path and the query of a request may be, in bytes"),
    ] = 8192
    max_json_depth: Annotated[
        int, Meta(ge=2, le=200), _described("how deep JSON bodies may be nested")
    ] = 64  # the default of .NET's System.Text.Json; Edge's own routes need 2
    max_form_fields: Annotated[
        int, Meta(ge=16, le=10_000), _described("how many fields a form may have")
    ] = 100
    unix_socket: Annotated[
        Path | None, _described("a Unix socket to listen on, instead of host and port")
    ] = None
    unix_socket_mode: Annotated[
        str, Meta(pattern=r"^[0-7]{3,4}\Z"), _described("who may connect to it, in octal")
    ] = "660"
    tls_certificate: Annotated[
        Path | None, _described("a PEM file with the certificate, to serve https")
    ] = None
    tls_key: Annotated[Path | None, _described("a PEM file with its private key, in PKCS#8")] = None
    http: Annotated[
        Literal["1", "2", "auto"],
        _described("1 for HTTP/1.1, 2 for HTTP/2 only, auto for both; 1 behind a load balancer"),
    ] = "1"
    keep_alive_s: Annotated[
        int,
        Meta(ge=1, le=3600),
        _described("seconds an idle connection is kept; more than the load balancer keeps it"),
    ] = 65  # AWS' Application Load Balancer keeps 60; Google's 600
    max_connections: Annotated[
        int, Meta(ge=1, le=65_535), _described("how many connections a worker may have open")
    ] = 1024
    worker_lifetime_s: Annotated[
        int, Meta(ge=0), _described("seconds after which a worker is replaced, 0 for never")
    ] = 0
    worker_max_memory_mib: Annotated[
        int,
        Meta(ge=0),
        _described("MiB of memory at which a worker is replaced, 0 for never"),
    ] = 0
    drain_s: Annotated[
        Annotated[float, Meta(ge=0, le=600)] | None,
        _described(
            "seconds to go on serving after SIGTERM while /readyz is red;"
            " 5 in production, 0 in development"
        ),
    ] = None
    stop_timeout_s: Annotated[
        int,
        Meta(ge=1, le=600),
        _described("seconds a worker may take to finish its requests when stopped"),
    ] = 20


class Database(_Section, frozen=True):
    url: Annotated[
        Secret | None,
        _described(
            "sqlite:///path or postgresql://user:password@host/name;"
            " without it, a SQLite file in the data folder"
        ),
    ] = None
    pool_size: Annotated[
        int, Meta(ge=1, le=200), _described("connections each worker may hold open")
    ] = 10
    timeout_s: Annotated[
        float,
        Meta(gt=0, le=60),
        _described(
            "seconds to wait for a connection, a lock, a statement or a transaction before"
            " answering 503; the same for all replicas and the command line"
        ),
    ] = 5.0


class Redis(_Section, frozen=True):
    url: Annotated[
        Secret | None,
        _described("redis://host:port/0 or as in docs/rate-limits.md; for more than one worker"),
    ] = None


class Tokens(_Section, frozen=True):
    audience: Annotated[
        str, Meta(min_length=1, max_length=255), _described("the `aud` of access tokens")
    ] = "edge"
    client_id: Annotated[
        str,
        Meta(pattern=r"^[A-Za-z0-9._~-]{1,64}\Z"),
        _described("the `client_id` of first-party logins, of A-Z a-z 0-9 . _ ~ -"),
    ] = "first-party"
    algorithm: Annotated[
        Literal["ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "EdDSA", "HS256"],
        _described("the algorithm of new signing keys; HS256 only where nobody else verifies"),
    ] = "ES256"
    jwks_max_age_s: Annotated[
        int, Meta(ge=0, le=86_400), _described("seconds for which others may keep the JWK Set")
    ] = 300
    key_reload_s: Annotated[
        int, Meta(ge=1, le=60), _described("seconds between two looks at the signing keys")
    ] = 10
    key_skew_s: Annotated[
        int,
        Meta(ge=0, le=3600),
        _described("seconds that others may keep the JWK Set beyond that, and clocks may differ"),
    ] = 60
    key_rotation_days: Annotated[
        int,
        Meta(ge=0, le=3650),
        _described("days after which a new signing key follows by itself, 0 for never"),
    ] = 0
    verified_cache_entries: Annotated[
        int,
        Meta(ge=0, le=1_000_000),
        _described("how many verified tokens each worker remembers, about 1.1 kB each"),
    ] = 10_000
    access_lifetime_s: Annotated[
        int, Meta(ge=10, le=86_400), _described("seconds an access token is good for")
    ] = 900
    leeway_s: Annotated[
        int, Meta(ge=0, le=120), _described("seconds of clock difference forgiven in a token")
    ] = 5
    refresh_idle_s: Annotated[
        int, Meta(ge=10), _described("seconds after which an unused session ends")
    ] = 7 * 86_400
    refresh_absolute_s: Annotated[
        int, Meta(ge=10), _described("seconds after which a session ends however much it is used")
    ] = 30 * 86_400
    refresh_overlap_s: Annotated[
        int,
        Meta(ge=0, le=300),
        _described("seconds in which a just used refresh token gets the same successor again"),
    ] = 10
    password_grant: Annotated[
        bool,
        _described("false to turn grant_type=password off at /token (RFC 9700 section 2.4)"),
    ] = True


class Revocation(_Section, frozen=True):
    bound_s: Annotated[
        float,
        Meta(ge=0.1, le=60),
        _described("seconds after which a revocation holds in every worker"),
    ] = 1.0
    on_outage: Annotated[
        Literal["serve", "refuse"],
        _described("serve or refuse (with 503) tokens while revocations cannot be read"),
    ] = "serve"


class Passwords(_Section, frozen=True):
    min_length: Annotated[
        int, Meta(ge=8, le=256), _described("the fewest characters of a new password, 8 at least")
    ] = 15  # NIST SP 800-63B-4: a password that is the only factor
    max_length: Annotated[
        int, Meta(ge=64, le=4096), _described("the most characters of a password")
    ] = 1024
    min_score: Annotated[
        int,
        Meta(ge=0, le=4),
        _described("the lowest zxcvbn score of a new password, 0 (anything) to 4 (strong)"),
    ] = 3
    # RFC 9106 section 4, second recommended option: t=3, p=4, m=64 MiB.
    time_cost: Annotated[int, Meta(ge=1, le=64), _described("argon2id passes")] = 3
    memory_kib: Annotated[
        int, Meta(ge=64, le=4 * 1024 * 1024), _described("argon2id memory a hash, in KiB")
    ] = 64 * 1024
    parallelism: Annotated[int, Meta(ge=1, le=64), _described("argon2id lanes")] = 4
    hash_concurrency: Annotated[
        int, Meta(ge=1, le=256), _described("how many hashes one worker computes at a time")
    ] = os.cpu_count() or 1
    queue_timeout_s: Annotated[
        float,
        Meta(gt=0, le=30),
        _described("seconds a login may wait for its turn to hash before it is answered 503"),
    ] = 2.0


class AccessRule(_Section, frozen=True):
    """What a request that a load balancer asks about has to bring; see docs/forward-auth.md."""

    name: Annotated[
        str,
        Meta(pattern=r"^[a-z][a-z0-9-]{0,63}\Z"),
        _described("its name, for events and edge rules, of a-z 0-9 -"),
    ]
    hosts: Annotated[
        Names, _described('the hosts it covers, such as "shop.test" or "*.test"; none for all')
    ] = ()
    paths: Annotated[
        Names, _described('the paths it covers, such as "/orders/*"; none for all')
    ] = ()
    methods: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z]{1,20}\Z")], ...],
        _described("the methods it covers, in capitals; none for all"),
    ] = ()
    public: Annotated[bool, _described("true to ask nobody who they are")] = False
    authentication: Annotated[
        tuple[Literal["bearer", "basic"], ...],
        Meta(min_length=1),
        _described("the authentication methods it takes: bearer, basic"),
    ] = ("bearer",)
    roles: Annotated[Names, _described("the roles of which one is needed")] = ()
    scopes: Annotated[Names, _described("the scopes that all are needed")] = ()
    rate_policies: Annotated[Names, _described("the names of rate policies that count it")] = ()
    audience: Annotated[
        str,
        Meta(max_length=255),
        _described("the `aud` of an assertion for the service, empty for no assertion"),
    ] = ""
    shadow: Annotated[bool, _described("true to decide and refuse nobody")] = False


class Access(_Section, frozen=True):
    realm: Annotated[
        str,
        Meta(pattern=r"^[ !#-\[\]-~]{1,64}\Z"),
        _described("the realm named in challenges, printable ASCII without quotes"),
    ] = "edge"
    role_includes: Annotated[
        dict[str, Names],
        _described('which roles a role includes, such as {"admin": ["moderator"]}'),
    ] = msgspec.field(default_factory=dict)
    scopes: Annotated[
        dict[str, Names],
        _described('which roles may hold a scope, such as {"profile": ["user"]}'),
    ] = msgspec.field(default_factory=lambda: dict(DEFAULT_SCOPES))
    basic_cache_s: Annotated[
        int,
        Meta(ge=0, le=300),
        _described("seconds for which verified Basic credentials skip the hash, 300 at most"),
    ] = 300
    rules: Annotated[
        tuple[AccessRule, ...],
        _described("who may ask what behind a load balancer that asks Edge, a list of tables"),
    ] = ()


class RatePolicy(_Section, frozen=True):
    """A rate rule; see docs/rate-limits.md."""

    name: Annotated[
        str,
        Meta(pattern=r"^[a-z][a-z0-9-]{0,63}\Z"),
        _described("its name, which clients see, of a-z 0-9 -"),
    ]
    limit: Annotated[int, Meta(ge=1, le=1_000_000_000), _described("the most units in a window")]
    window_s: Annotated[
        float, Meta(ge=0.1, le=31 * 86_400), _described("the length of the window in seconds")
    ]
    algorithm: Annotated[
        Literal["log", "counter"],
        _described("log (exact, a limit of 10,000 at most) or counter (constant memory)"),
    ] = "counter"
    partition: Annotated[
        Names,
        Meta(min_length=1),
        _described("what it counts by: address, principal, client, account, header:NAME, ..."),
    ] = ("address",)
    counts: Annotated[
        Literal["requests", "logins"], _described("requests, or logins for attempts to log in")
    ] = "requests"
    routes: Annotated[Names, _described('the routes it covers, such as "/users/{id}"')] = ()
    paths: Annotated[Names, _described('the paths it covers, such as "/api/*"')] = ()
    methods: Annotated[Names, _described("the methods it covers")] = ()
    role_limits: Annotated[
        dict[str, Annotated[int, Meta(ge=1, le=1_000_000_000)]],
        _described("other limits by role, of which the highest counts"),
    ] = msgspec.field(default_factory=dict)
    cost: Annotated[int, Meta(ge=0, le=1_000_000_000), _described("what a request costs")] = 1
    on_outage: Annotated[
        Literal["allow", "deny", "local"],
        _described("allow, deny (503) or local (each worker counts by itself) without Redis"),
    ] = "local"
    shadow: Annotated[bool, _described("true to decide and refuse nobody")] = False


class RateLimit(_Section, frozen=True):
    policies: Annotated[
        tuple[RatePolicy, ...], _described("the rate policies of your own, a list of tables")
    ] = ()
    defaults: Annotated[
        bool, _described("false to leave out the default policies, such as address and logins")
    ] = True
    budget_s: Annotated[
        float,
        Meta(ge=0.001, le=5),
        _described("seconds a request waits for Redis before on_outage decides"),
    ] = 0.05
    legacy_fields: Annotated[
        bool, _described("true to send X-RateLimit-Limit, -Remaining and -Reset too")
    ] = False


class Proxies(_Section, frozen=True):
    trusted: Annotated[
        Names,
        _described("networks of your proxies, whose fields are believed, such as 10.0.0.0/8"),
    ] = ()
    fields: Annotated[
        tuple[
            Literal["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"], ...
        ],
        _described(
            "which fields they write: x-forwarded-for, x-forwarded-proto, x-forwarded-host;"
            " or forwarded alone"
        ),
    ] = ("x-forwarded-for", "x-forwarded-proto")


class _CorsRule(_Section, frozen=True):
    allow_origins: Annotated[
        Names,
        _described(
            "origins whose pages may read answers, such as https://app.test or https://*.app.test;"
            " in development localhost may, too"
        ),
    ] = ()
    allow_credentials: Annotated[
        bool, _described("true to let those pages send cookies and HTTP credentials")
    ] = False
    allow_methods: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z]{1,20}\Z")], ...],
        _described("the methods those pages may use, in capitals"),
    ] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    allow_headers: Annotated[
        tuple[_FieldName, ...], _described("the header fields those pages may send")
    ] = ("Authorization", "Content-Type", "X-Request-Id")
    expose_headers: Annotated[
        tuple[_FieldName, ...],
        _described("header fields of answers that those pages may read, beside those of Edge"),
    ] = ()
    max_age_s: Annotated[
        int,
        Meta(ge=0, le=86_400),
        _described("seconds for which browsers may remember the answer to a preflight"),
    ] = 600


class CorsPolicy(_CorsRule, frozen=True, kw_only=True):
    """Another rule for some paths; see docs/http.md."""

    paths: Annotated[Names, Meta(min_length=1), _described('the paths it covers, such as "/api/*"')]


class Cors(_CorsRule, frozen=True):
    policies: Annotated[
        tuple[CorsPolicy, ...], _described("other rules by path, a list of tables")
    ] = ()


_SecurityHeader = Literal[
    "cache-control",
    "clear-site-data",
    "content-security-policy",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-xss-protection",
]


class HeaderOverride(_Section, frozen=True):
    """Other security headers for some paths; see docs/http.md."""

    paths: Annotated[Names, Meta(min_length=1), _described('the paths it covers, such as "/app/*"')]
    profile: Annotated[
        Literal["api", "page"] | None, _described("api or page, for the values of that profile")
    ] = None
    fields: Annotated[
        dict[_SecurityHeader, Annotated[str, Meta(pattern=r"^[ -~]{0,4096}\Z")]],
        _described('other values by field in lower case, "" to leave the field out'),
    ] = msgspec.field(default_factory=dict)


class Headers(_Section, frozen=True):
    hsts: Annotated[
        str,
        Meta(pattern=r"^[ -~]{0,128}\Z"),
        _described("the Strict-Transport-Security of answers over https, empty for none"),
    ] = "max-age=63072000; includeSubDomains"
    overrides: Annotated[
        tuple[HeaderOverride, ...], _described("other headers by path, a list of tables")
    ] = ()


class Files(_Section, frozen=True):
    root: Annotated[
        Path | None,
        _described("a folder whose files anybody may read at /files/{path}; see docs/http.md"),
    ] = None


class Log(_Section, frozen=True):
    level: Annotated[
        Literal["debug", "info", "warning", "error"], _described("the least severe level logged")
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "console"],
        _described("json, console, or auto: json in production, console in development"),
    ] = "auto"


class Metrics(_Section, frozen=True):
    bind: Annotated[
        str,
        Meta(pattern=r"^(?:|[A-Za-z0-9.-]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5})\Z"),
        _described(
            "where edge serve shows /metrics to anybody who can connect, such as 127.0.0.1:9100;"
            " empty for nowhere"
        ),
    ] = ""


class Traces(_Section, frozen=True):
    endpoint: Annotated[
        str,
        Meta(pattern=r"^(?:|https?://[!-~]{1,2000})\Z"),
        _described(
            "where spans are sent by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces;"
            " empty for nowhere"
        ),
    ] = ""
    ratio: Annotated[
        float,
        Meta(ge=0, le=1),
        _described("the share of requests that are traced, of those that are part of no trace yet"),
    ] = 1.0


class TrustedIssuer(_Section, frozen=True):
    """An identity provider whose access tokens are accepted; see docs/tokens.md."""

    issuer: Annotated[str, Meta(pattern=r"^\S{1,255}\Z"), _described("the `iss` of its tokens")]
    subject_prefix: Annotated[
        str,
        Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z"),
        _described("what stands before its subjects here, as in okta:00u1; no other's"),
    ]
    audiences: Annotated[Names, Meta(min_length=1), _described("the `aud` its tokens must have")]
    jwks_url: Annotated[str | None, _described("where its keys are")] = None
    jwks_file: Annotated[Path | None, _described("a file with its keys, instead of a URL")] = None
    algorithms: Annotated[
        tuple[Literal["ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "EdDSA"], ...],
        Meta(min_length=1),
        _described("the algorithms it may sign with"),
    ] = ("ES256", "RS256")
    types: Annotated[Names, Meta(min_length=1), _described("the `typ` its access tokens have")] = (
        "at+jwt",
    )
    roles_claim: Annotated[
        str | Names, _described('where its roles are, such as "realm_access.roles"')
    ] = ""
    scopes_claim: Annotated[str | Names, _described("where its scopes are")] = "scope"
    roles: Annotated[dict[str, str], _described("from its roles to ours")] = msgspec.field(
        default_factory=dict
    )
    scopes: Annotated[dict[str, str], _described("from its scopes to ours")] = msgspec.field(
        default_factory=dict
    )
    leeway_s: Annotated[
        int, Meta(ge=0, le=120), _described("seconds of clock difference forgiven")
    ] = 5
    refresh_s: Annotated[
        int, Meta(ge=10, le=86_400), _described("seconds between two looks at its keys")
    ] = 300
    stale_s: Annotated[
        int, Meta(ge=10, le=30 * 86_400), _described("seconds its keys are good while it is away")
    ] = 86_400


class Settings(_Section, frozen=True):
    """All settings of one Edge; immutable, passed by value from the composition root."""

    environment: Annotated[
        Literal["development", "production"], _described("development or production")
    ] = "development"
    issuer: Annotated[
        str | None, _described("the public base URL of this Edge, the `iss` of its tokens")
    ] = None
    service_name: Annotated[
        str, Meta(min_length=1, max_length=64), _described("the name people see")
    ] = "Edge"
    data_dir: Annotated[
        Path, _described("the folder for the SQLite file and the development key")
    ] = Path(".edge")
    secret_key: Annotated[
        Secret | None,
        _described("32 random bytes in base64, for example from: openssl rand -base64 32"),
    ] = None
    secret_key_previous: Annotated[
        Secret | None,
        _described(
            "the secret key before or after this one, accepted too while they are exchanged"
        ),
    ] = None
    demo: Annotated[bool, _described("true to create the demo accounts (development only)")] = False
    example_routes: Annotated[
        bool, _described("false to leave out the example routes such as /admin-area")
    ] = True
    docs: Annotated[
        Literal["auto", "on", "off"],
        _described("on, off, or auto for /docs and /openapi.json: auto is on in development only"),
    ] = "auto"
    issuers: Annotated[
        tuple[TrustedIssuer, ...],
        _described("the identity providers whose access tokens are accepted, a list of tables"),
    ] = ()
    server: Server = Server()
    database: Database = Database()
    redis: Redis = Redis()
    tokens: Tokens = Tokens()
    revocation: Revocation = Revocation()
    passwords: Passwords = Passwords()
    access: Access = Access()
    ratelimit: RateLimit = RateLimit()
    proxies: Proxies = Proxies()
    cors: Cors = Cors()
    files: Files = Files()
    headers: Headers = Headers()
    log: Log = Log()
    metrics: Metrics = Metrics()
    traces: Traces = Traces()

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def served_url(self) -> str:
        """Where Edge is served, for whoever is on the same machine."""
        host = _ANY_ADDRESS.get(self.server.host, self.server.host)
        host = f"[{host}]" if ":" in host else host
        scheme = "https" if self.server.tls_certificate else "http"
        return f"{scheme}://{host}:{self.server.port}"

    @property
    def base_url(self) -> str:
        return self.served_url if self.issuer is None else self.issuer

    @property
    def logs_as_json(self) -> bool:
        return self.log.format == "json" or (self.log.format == "auto" and self.is_production)

    @property
    def drain_s(self) -> float:
        if self.server.drain_s is not None:
            return self.server.drain_s
        return _DRAIN_S if self.is_production else 0.0

    @property
    def shows_docs(self) -> bool:
        return self.docs == "on" or (self.docs == "auto" and not self.is_production)

    @property
    def database_url(self) -> str:
        if self.database.url is not None:
            return self.database.url.reveal()
        return f"sqlite:///{self.data_dir / 'edge.db'}"

    @property
    def secret_key_file(self) -> Path:
        """Where development keeps its secret key between starts."""
        return self.data_dir / "secret-key"
