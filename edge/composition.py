"""The composition root: from `Settings` to every long-lived object, once.

Nothing is looked up later. What is opened here is closed here, its health check beside it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from math import ceil
from typing import TYPE_CHECKING

from uuid_utils.compat import uuid7

from edge.access.basic import BasicLogin
from edge.access.client_tokens import ClientTokens
from edge.access.decision_point import DecisionPoint
from edge.access.login_attempts import LimitedAttempts
from edge.access.rules import RoleHierarchy, ScopePolicy
from edge.access.service_accounts import ServiceAccounts
from edge.access.sign_in import SignIn
from edge.accounts.accounts import Accounts
from edge.accounts.argon2 import Argon2Hasher
from edge.accounts.client import built_in_client
from edge.accounts.clients import Clients
from edge.accounts.email_validator import normalise_email
from edge.accounts.password_login import PasswordLogin
from edge.accounts.passwords import PasswordPolicy
from edge.accounts.sql.clients import SqlClientStore
from edge.accounts.sql.known_networks import ForgottenNetworks, SqlKnownNetworks
from edge.accounts.sql.users import SqlUserStore
from edge.accounts.usernames import Usernames
from edge.accounts.zxcvbn import estimate
from edge.gauges import (
    add_hash_gauges,
    add_process_gauges,
    add_store_gauges,
    add_token_gauges,
)
from edge.http.files.folder import ServedFolder
from edge.issuers import fetch_first, key_set_of, reader_of
from edge.limits import monotonic_us, policies_of, windows_of
from edge.ratelimit.limiter import Limiter
from edge.ratelimit.memory import MemoryWindows
from edge.settings import Finding, Settings, SettingsError, check
from edge.settings.key_file import read_or_create
from edge.settings.secret import decode_secret_key, derive_key
from edge.stores import schema
from edge.stores.announcing import to_nobody
from edge.stores.sql import Database
from edge.telemetry import catalogue
from edge.telemetry.board import Board
from edge.telemetry.counting import counting_events
from edge.telemetry.draining import Draining
from edge.telemetry.events import (
    HousekeepingFailed,
    KeyAdded,
    KeyReloadFailed,
    LimitsAway,
    LimitsBack,
    RevocationsUnavailable,
)
from edge.telemetry.exposition import render
from edge.telemetry.health import Health
from edge.telemetry.limits import LimitCounts
from edge.telemetry.logs import record
from edge.telemetry.metrics import Metrics
from edge.tokens.access_tokens import AccessTokenIssuer
from edge.tokens.assertions import AssertionIssuer
from edge.tokens.claims import CLIENT_PREFIX, ClaimsPolicy
from edge.tokens.housekeeping import Housekeeping
from edge.tokens.jose.sealing import KeySealer
from edge.tokens.key_reload import KeyReloader
from edge.tokens.key_ring import KeyRing
from edge.tokens.key_schedule import KeySchedule
from edge.tokens.own_tokens import OwnTokens
from edge.tokens.refresh_token import RefreshTokenCodec
from edge.tokens.revocation_reader import RevocationReader
from edge.tokens.session import SessionLifetime
from edge.tokens.sessions import Sessions
from edge.tokens.signing_keys import SigningKeys
from edge.tokens.sql.purge import ended_sessions, expired_revocations, retired_keys
from edge.tokens.sql.revocations import SqlRevocationLog
from edge.tokens.sql.sessions import SqlSessionStore
from edge.tokens.sql.signing_keys import SqlSigningKeys
from edge.tokens.sql.token_revoker import SqlTokenRevoker
from edge.tokens.token_check import TokenCheck
from edge.tokens.verifier import Verifier

if TYPE_CHECKING:
    from edge.tokens.redis import RedisWake

VERSION = version("edge")


# A Redis that is away delays the start by that much; it is looked for further in the background.
_FIRST_WAIT_S = 1.0


class Edge:
    """Every long-lived object of one process. Nothing is connected before `running`.

    Raises:
        SettingsError: the settings, taken together, cannot be run with.
    """

    def __init__(
        self, settings: Settings, draining: Draining | None = None, board: Board | None = None
    ) -> None:
        errors = [finding for finding in check(settings) if finding.severity == "error"]
        if errors:
            raise SettingsError(errors)
        self.settings = settings
        self.metrics = Metrics(time.monotonic)
        self._board = board
        self.record = counting_events(self.metrics, record)
        self.draining = draining or Draining()
        self.health = Health(self.draining)
        secret_key = _secret_key(settings)
        previous = _previous_secret_keys(settings)
        secret_keys = [secret_key, *previous]
        tokens, access = settings.tokens, settings.access
        roles, scopes = RoleHierarchy(access.role_includes), ScopePolicy(access.scopes)
        self.database = database_of(
            settings,
            pool_size=settings.database.pool_size,
            waited=self.metrics.count(catalogue.SQL_WAITS).add,
        )
        # A revocation matters for as long as a token may be accepted that was issued by whoever
        # could not see it yet.
        self.revocation_lifetime_s = (
            tokens.access_lifetime_s + 2 * tokens.leeway_s + ceil(self.database.longest_write_s)
        )
        revocation_lifetime_s = self.revocation_lifetime_s

        self._hasher = _hasher(settings, self.metrics)
        self._wake = _redis_wake(settings)
        self.revocations = RevocationReader(
            SqlRevocationLog(self.database),
            bound_s=settings.revocation.bound_s,
            longest_write_s=self.database.longest_write_s,
            on_outage=settings.revocation.on_outage,
            clock=time.monotonic,
            keys_changed=lambda: self.key_reloader.wake(),  # noqa: PLW0108  # made further down
            unavailable=lambda: self.record(RevocationsUnavailable()),
            publish=self._wake.publish if self._wake else to_nobody,
        )
        announce = self.revocations.announce
        self.revocation_log = SqlRevocationLog(self.database, announce=announce)
        self.housekeeping = Housekeeping(
            ended_sessions(self.database, access_lifetime_s=revocation_lifetime_s),
            expired_revocations(self.database),
            retired_keys(self.database),
            ForgottenNetworks(self.database),
            failed=lambda error: self.record(HousekeepingFailed(reason=error.reason)),
        )
        users = SqlUserStore(
            self.database, revocation_lifetime_s=revocation_lifetime_s, announce=announce
        )
        self.policies = policies_of(settings.ratelimit)
        limit_counts = LimitCounts(self.metrics)
        self._are_limits_away = False
        self._windows = windows_of(settings, self._limits_changed, limit_counts)
        self.limiter = Limiter(
            self._windows.windows,
            MemoryWindows(monotonic_us),
            clock=time.monotonic,
            watcher=limit_counts,
        )
        self._login = PasswordLogin(
            users,
            self._hasher,
            max_length=settings.passwords.max_length,
            attempts=LimitedAttempts(
                self.limiter,
                [policy for policy in self.policies if policy.counts == "logins"],
                SqlKnownNetworks(self.database),
            ),
        )
        self.accounts = Accounts(
            users,
            self._hasher,
            _password_policy(settings),
            estimate=estimate,
            verify=self._login.verify,
            normalise_email=normalise_email,
            new_id=uuid7,
        )
        self.verifier = Verifier(
            [
                OwnTokens(
                    ClaimsPolicy(
                        issuer=settings.base_url,
                        audiences=frozenset({tokens.audience}),
                        leeway_s=tokens.leeway_s,
                    )
                ),
                *map(reader_of, settings.issuers),
            ],
            most_remembered=tokens.verified_cache_entries,
            missed=self.metrics.count(catalogue.TOKEN_CACHE_MISSES).add,
        )
        schedule = _key_schedule(settings)
        self.key_ring = KeyRing(
            self.verifier, settings.base_url, schedule, clock=time.time, monotonic=time.monotonic
        )
        self.signing_keys = SigningKeys(
            SqlSigningKeys(self.database, announce=announce),
            KeySealer([derive_key(key, "signing key encryption") for key in secret_keys]),
            self.key_ring,
            schedule,
            algorithm=tokens.algorithm,
            monotonic=time.monotonic,
        )
        self.key_reloader = KeyReloader(
            self.signing_keys.load,
            self.key_ring,
            interval_s=tokens.key_reload_s,
            clock=time.monotonic,
            failed=lambda error: self.record(KeyReloadFailed(reason=str(error))),
            rotate=self._rotate_keys,
        )
        self.sessions = Sessions(
            SqlSessionStore(
                self.database, revocation_lifetime_s=revocation_lifetime_s, announce=announce
            ),
            RefreshTokenCodec(
                mac_key=derive_key(secret_key, "refresh token"),
                key_id=_key_id(secret_key),
                others={_key_id(key): derive_key(key, "refresh token") for key in previous},
            ),
            _session_lifetime(settings),
            new_id=uuid7,
        )
        access_tokens = AccessTokenIssuer(
            self.key_ring,
            issuer=settings.base_url,
            audience=tokens.audience,
            lifetime_s=tokens.access_lifetime_s,
            clock=time.time,
            new_id=uuid7,
        )
        self.usernames = Usernames(users)
        self.assertions = AssertionIssuer(self.key_ring, issuer=settings.base_url, clock=time.time)
        self.files = _served_folder(settings)
        self._key_sets = {
            trusted.issuer: key_set_of(trusted, self.verifier, self.record, time.time)
            for trusted in settings.issuers
        }
        token_check = TokenCheck(
            self.verifier,
            self.revocations,
            {settings.base_url: self.key_reloader, **self._key_sets},
            checked=self.metrics.count(catalogue.TOKEN_CHECKS).add,
        )
        self.clients = Clients(
            SqlClientStore(
                self.database,
                revocation_lifetime_s=revocation_lifetime_s,
                subject_prefix=CLIENT_PREFIX,
                announce=announce,
            ),
            built_in_client(tokens.client_id, scopes.known),
        )
        self.sign_in = SignIn(self._login, self.sessions, access_tokens, roles=roles, scopes=scopes)
        self.service_accounts = ServiceAccounts(access_tokens, scopes)
        self.client_tokens = ClientTokens(
            token_check,
            self.sessions,
            SqlTokenRevoker(
                self.database, revocation_lifetime_s=revocation_lifetime_s, announce=announce
            ),
            issuer=settings.base_url,
            audience=tokens.audience,
            clock=time.time,
        )
        self.decision_point = DecisionPoint(
            tokens=token_check,
            basic=BasicLogin(
                self._login,
                digest_key=derive_key(secret_key, "basic cache"),
                lifetime_s=access.basic_cache_s,
                clock=time.monotonic,
            ),
            roles=roles,
            scopes=scopes,
            clock=time.time,
        )
        self._add_gauges()

    def _add_gauges(self) -> None:
        add_process_gauges(self.metrics, self.draining, VERSION)
        add_token_gauges(self.metrics, self.revocations, self.verifier)
        add_store_gauges(self.metrics, self.database, self._windows.shared)
        add_hash_gauges(self.metrics, self._hasher)

    @asynccontextmanager
    async def stores_open(self) -> AsyncIterator[None]:
        """Make accounts and keys usable: what the command line needs.

        Raises:
            SettingsError: the database does not fit: an old schema or demo accounts in production,
                keys sealed under another secret key, a client with the id of the built-in one.
            UnavailableError: the database is away.
        """
        async with AsyncExitStack() as stack:
            stack.callback(self._hasher.close)
            stack.push_async_callback(self.database.close)
            self.health.add("database", self.database.ping)
            stack.push_async_callback(self.health.close)
            await self._check_database()
            await self._load_signing_keys()
            yield

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make everything usable, and say so in `health`; raises as `stores_open` does."""
        if self._board:
            self.metrics.join(self._board)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.stores_open())
            await self._login.prepare()
            await self.revocations.read()
            await fetch_first(self._key_sets.values())
            if self.files:
                stack.enter_context(self.files.opened())
            await stack.enter_async_context(self._background())
            stack.callback(self.health.set_ready, ready=False)
            self.health.set_ready(ready=True)
            yield

    @asynccontextmanager
    async def _background(self) -> AsyncIterator[None]:
        """Do what goes on beside requests, until it is left."""
        work = [
            self.revocations.run(),
            self.key_reloader.run(),
            self.housekeeping.run(),
            self.metrics.run(),
        ]
        async with AsyncExitStack() as stack:
            if self._wake:
                self.health.add("redis", self._wake.ping)
                stack.push_async_callback(self._wake.close)
                work.append(self._wake.listen(self.revocations.wake))
            if self._windows.shared:
                work.append(self._windows.shared.run())
            for trusted in self.settings.issuers:
                key_set = self._key_sets[trusted.issuer]
                self.health.add(f"issuer {trusted.subject_prefix}", key_set.check)
                stack.push_async_callback(key_set.close)
                work.append(key_set.run())
            tasks = [asyncio.create_task(coroutine) for coroutine in work]
            try:
                if self._windows.shared:
                    self._limits_changed(await self._windows.shared.settle(_FIRST_WAIT_S))
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _check_database(self) -> None:
        if not await schema.is_current(self.database):
            if self.settings.is_production:
                raise SettingsError([OLD_SCHEMA])
            await schema.upgrade(self.database)
        if self.settings.is_production and await self.accounts.has_demo_accounts():
            raise SettingsError([DEMO_ACCOUNTS])
        if await self.clients.is_built_in_id_taken():
            raise SettingsError([CLIENT_ID_TAKEN])

    async def _load_signing_keys(self) -> None:
        try:
            await self.signing_keys.prepare()
        except ValueError as error:
            problem = f"does not fit the database: {error}"
            fix = "set it to the key that this database was used with"
            raise SettingsError([Finding("error", "EDGE_SECRET_KEY", problem, fix)]) from error

    def _limits_changed(self, is_well: bool) -> None:  # noqa: FBT001  # a callback
        """Tell that Redis went or came back; that it is there from the start is no news."""
        if is_well != self._are_limits_away:
            return
        self._are_limits_away = not is_well
        self.record(LimitsBack() if is_well else LimitsAway())

    async def _rotate_keys(self) -> None:
        days = self.settings.tokens.key_rotation_days
        key = await self.signing_keys.rotate_if_older(days) if days else None
        if key:
            self.record(KeyAdded(kid=key.kid, algorithm=key.algorithm, by="edge"))


OLD_SCHEMA = Finding(
    "error", "EDGE_DATABASE_URL", "names a database with an old schema", "run: edge db upgrade"
)
DEMO_ACCOUNTS = Finding(
    "error",
    "EDGE_DATABASE_URL",
    "names a database with demo accounts, which production does not run with",
    "delete them with: edge users delete NAME, or use another database",
)
CLIENT_ID_TAKEN = Finding(
    "error",
    "EDGE_TOKENS_CLIENT_ID",
    "is the id of a client in the database, which anybody could then be without its secret",
    "choose another one",
)


def database_of(
    settings: Settings, *, pool_size: int, waited: Callable[[], None] = lambda: None
) -> Database:
    return Database(
        settings.database_url,
        pool_size=pool_size,
        timeout_s=settings.database.timeout_s,
        clock=time.monotonic,
        waited=waited,
    )


def _secret_key(settings: Settings) -> bytes:
    if settings.secret_key is not None:
        return decode_secret_key(settings.secret_key.reveal())
    try:
        return read_or_create(settings.secret_key_file)
    except (OSError, ValueError) as error:
        problem = f"is not set, and {settings.secret_key_file} cannot be used: {error}"
        fix = "remove that file, or set EDGE_SECRET_KEY or EDGE_DATA_DIR"
        raise SettingsError([Finding("error", "EDGE_SECRET_KEY", problem, fix)]) from error


def _previous_secret_keys(settings: Settings) -> list[bytes]:
    previous = settings.secret_key_previous
    return [decode_secret_key(previous.reveal())] if previous else []


def _key_id(secret_key: bytes) -> bytes:
    """Name a secret key without saying anything of it."""
    return derive_key(secret_key, "key id")[:4]


def _served_folder(settings: Settings) -> ServedFolder | None:
    if settings.files.root is None or not settings.example_routes:
        return None
    return ServedFolder(settings.files.root, clock=time.time)


def _redis_wake(settings: Settings) -> "RedisWake | None":
    if settings.redis.url is None:
        return None
    from edge.tokens.redis import RedisWake  # noqa: PLC0415  # an extra, for those who use it

    return RedisWake(settings.redis.url.reveal())


def _key_schedule(settings: Settings) -> KeySchedule:
    tokens = settings.tokens
    return KeySchedule(
        jwks_max_age_s=tokens.jwks_max_age_s,
        skew_s=tokens.key_skew_s,
        reload_s=tokens.key_reload_s,
        access_lifetime_s=tokens.access_lifetime_s,
        leeway_s=tokens.leeway_s,
    )


def _hasher(settings: Settings, metrics: Metrics) -> Argon2Hasher:
    passwords = settings.passwords
    return Argon2Hasher(
        time_cost=passwords.time_cost,
        memory_kib=passwords.memory_kib,
        parallelism=passwords.parallelism,
        concurrency=passwords.hash_concurrency,
        queue_timeout_s=passwords.queue_timeout_s,
        refused=metrics.count(catalogue.HASHES_REFUSED).add,
    )


def _password_policy(settings: Settings) -> PasswordPolicy:
    passwords = settings.passwords
    return PasswordPolicy(
        min_length=passwords.min_length,
        max_length=passwords.max_length,
        min_score=passwords.min_score,
        service_name=settings.service_name,
    )


def _session_lifetime(settings: Settings) -> SessionLifetime:
    tokens = settings.tokens
    return SessionLifetime(
        idle_ms=tokens.refresh_idle_s * 1000,
        absolute_ms=tokens.refresh_absolute_s * 1000,
        overlap_ms=tokens.refresh_overlap_s * 1000,
    )


def metrics_text(board: Board) -> str:
    """Give what all workers of a server have counted, for Prometheus."""
    return render(board.read(), time.monotonic())
