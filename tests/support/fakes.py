"""Stand-ins for the ports: stores in dictionaries, a hasher that counts, clocks that are told."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from math import inf
from types import ModuleType, SimpleNamespace
from typing import Final, Literal
from uuid import UUID

import msgspec
import pytest

from edge.accounts.client import Client, StoredClient
from edge.accounts.ports import ClientIdTaken, UsernameTaken
from edge.accounts.user import NewUser, StoredCredentials, User, UserChanges, username_key
from edge.reasons import Reason
from edge.tokens.claims import AccessClaims, ClaimsPolicy, VerifiedToken
from edge.tokens.own_tokens import OwnTokens
from edge.tokens.ports import NewSession
from edge.tokens.session import Holder, LiveSession, Origin, Session, SessionLifetime
from edge.tokens.verifier import Verifier

NOW_S: Final = 1_800_000_000

_USER: Final = User(
    id=UUID(int=1),
    username="alice",
    email=None,
    full_name=None,
    roles=(),
    epoch=0,
    is_disabled=False,
    is_demo=False,
    created_at_ms=0,
    updated_at_ms=0,
)


def make_user(**fields: object) -> User:
    return msgspec.structs.replace(_USER, **fields)


def id_sequence() -> Callable[[], UUID]:
    """Give ids 1, 2, 3 ..., all different and in order."""
    numbers = itertools.count(1)
    return lambda: UUID(int=next(numbers))


class FakeClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: float = NOW_S) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


class Sleeps:
    """`asyncio.sleep` for a task that sleeps again and again: says how long, and wakes it."""

    def __init__(self) -> None:
        self._asked: asyncio.Queue[float] = asyncio.Queue()
        self._may_wake: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self, seconds: float) -> None:
        self._asked.put_nowait(seconds)
        await self._may_wake.get()

    async def next(self) -> float:
        return await self._asked.get()

    @asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        """As `asyncio.timeout`, around a wait that nothing else ends."""
        await self(seconds)
        async with asyncio.timeout(0):
            yield

    def replace_in(
        self,
        module: ModuleType,
        monkeypatch: pytest.MonkeyPatch,
        what: Literal["sleep", "timeout"] = "sleep",
    ) -> None:
        """Have the tasks of this module sleep here."""
        ours = self if what == "sleep" else self.timeout
        replaced = SimpleNamespace(**{**vars(asyncio), what: ours})
        monkeypatch.setattr(module, "asyncio", replaced)

    def wake(self) -> None:
        self._may_wake.put_nowait(None)


class CountingHasher:
    """A `PasswordHasher` that is fast and counts; another `version` makes old hashes outdated.

    With `hold()` every verification waits until `release()`.
    """

    def __init__(self, version: int = 1) -> None:
        self.version = version
        self.hashes = 0
        self.verifies = 0
        self._open = asyncio.Event()
        self._open.set()

    async def hash(self, password: str) -> str:
        self.hashes += 1
        return f"fake${self.version}${_digest(password)}"

    async def verify(self, password_hash: str, password: str) -> bool:
        self.verifies += 1
        await self._open.wait()
        return password_hash.rpartition("$")[2] == _digest(password)

    def is_outdated(self, password_hash: str) -> bool:
        return password_hash.split("$")[1] != str(self.version)

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


class FakeUserStore:
    """A `UserStore` in a dictionary; `reads` counts the look-ups of credentials."""

    def __init__(self) -> None:
        self.credentials: dict[UUID, StoredCredentials] = {}
        self.reads = 0
        self.replacements: list[tuple[str, str]] = []
        self.kept_sessions: list[UUID | None] = []

    def put(self, user: User, password_hash: str) -> User:
        """Store a user as it is."""
        self.credentials[user.id] = StoredCredentials(user, password_hash)
        return user

    async def add(self, user: NewUser, password_hash: str) -> User | UsernameTaken:
        if self._named(username_key(user.username)):
            return UsernameTaken()
        return self.put(make_user(**msgspec.structs.asdict(user)), password_hash)

    async def find(self, user_id: UUID) -> User | None:
        found = self.credentials.get(user_id)
        return found.user if found else None

    async def find_credentials(self, username_key: str) -> StoredCredentials | None:
        self.reads += 1
        return self._named(username_key)

    async def page(self, *, after: str, limit: int) -> Sequence[User]:
        users = [found.user for found in self.credentials.values()]
        users.sort(key=lambda user: username_key(user.username))
        return [user for user in users if username_key(user.username) > after][:limit]

    async def count_demo(self) -> int:
        return sum(found.user.is_demo for found in self.credentials.values())

    async def change(self, user_id: UUID, changes: UserChanges) -> User | None:
        found = self.credentials.get(user_id)
        if found is None:
            return None
        fields = {
            name: value
            for name, value in msgspec.structs.asdict(changes).items()
            if value is not msgspec.UNSET
        }
        new_hash = fields.pop("password_hash", None)
        self.put(found.user, new_hash or found.password_hash)
        is_less = not set(found.user.roles) <= set(fields.get("roles", found.user.roles))
        ends = bool(new_hash or fields.get("is_disabled") or is_less)
        return self._change(user_id, epoch=found.user.epoch + ends, **fields)

    async def change_password(
        self, user_id: UUID, *, old_hash: str, new_hash: str, kept_session: UUID | None
    ) -> bool:
        self.kept_sessions.append(kept_session)
        return await self.replace_hash(user_id, old=old_hash, new=new_hash)

    async def end_sessions(self, user_id: UUID) -> bool:
        found = self.credentials.get(user_id)
        if found is not None:
            self._change(user_id, epoch=found.user.epoch + 1)
        return found is not None

    async def replace_hash(self, user_id: UUID, *, old: str, new: str) -> bool:
        found = self.credentials.get(user_id)
        if found is None or found.password_hash != old:
            return False
        self.replacements.append((old, new))
        self.put(found.user, new)
        return True

    async def delete(self, user_id: UUID) -> bool:
        return self.credentials.pop(user_id, None) is not None

    def _named(self, key: str) -> StoredCredentials | None:
        every = self.credentials.values()
        return next((found for found in every if username_key(found.user.username) == key), None)

    def _change(self, user_id: UUID, **fields: object) -> User:
        found = self.credentials[user_id]
        return self.put(msgspec.structs.replace(found.user, **fields), found.password_hash)


class FakeClientStore:
    """A `ClientStore` in a dictionary; `finds` counts the look-ups."""

    def __init__(self) -> None:
        self.rows: dict[str, StoredClient] = {}
        self.finds = 0

    async def add(self, client: Client, secret_hash: bytes | None) -> Client | ClientIdTaken:
        if client.id in self.rows:
            return ClientIdTaken()
        self.rows[client.id] = StoredClient(client, secret_hash)
        return client

    async def find(self, client_id: str) -> StoredClient | None:
        self.finds += 1
        return self.rows.get(client_id)

    async def all(self) -> Sequence[Client]:
        return [self.rows[client_id].client for client_id in sorted(self.rows)]

    async def replace_secret(self, client_id: str, secret_hash: bytes) -> Client | None:
        found = self.rows.get(client_id)
        if found is None:
            return None
        self.rows[client_id] = StoredClient(found.client, secret_hash)
        return found.client

    async def set_disabled(self, client_id: str, *, disabled: bool) -> Client | None:
        found = self.rows.get(client_id)
        if found is None:
            return None
        epoch = found.client.epoch + disabled
        client = msgspec.structs.replace(found.client, epoch=epoch, is_disabled=disabled)
        self.rows[client_id] = StoredClient(client, found.secret_hash)
        return client


class FakeSessionStore:
    """A `SessionStore` in a dictionary with a clock of its own; `holder` stands behind them all."""

    def __init__(self, holder: User) -> None:
        self.holder = holder
        self.now_ms = NOW_S * 1000
        self.rows: dict[UUID, Session] = {}
        self.finds = 0
        self.advances = 0
        self.origins: list[Origin] = []
        self.changes: list[Callable[[], None]] = []
        """What happens between a `find` and what follows it, one a time."""

    async def start(self, session: NewSession, lifetime: SessionLifetime) -> bool:
        if self.holder.is_disabled or session.epoch < self.holder.epoch:
            return False
        self.origins.append(session.origin)
        absolute = self.now_ms + lifetime.absolute_ms
        self.rows[session.id] = Session(
            id=session.id,
            holder=self._holder(),
            client_id=session.client_id,
            scopes=session.scopes,
            generation=1,
            salt=session.salt,
            rotated_at_ms=self.now_ms,
            idle_expires_at_ms=min(self.now_ms + lifetime.idle_ms, absolute),
            absolute_expires_at_ms=absolute,
            revoked_at_ms=None,
            now_ms=self.now_ms,
        )
        return True

    async def find(self, session_id: UUID) -> Session | None:
        self.finds += 1
        found = self._read(session_id)
        if self.changes:
            self.changes.pop(0)()
        return found

    async def advance(
        self, session_id: UUID, *, generation: int, lifetime: SessionLifetime, origin: Origin
    ) -> Session | None:
        self.advances += 1
        row = self._read(session_id)
        if row is None or row.generation != generation or row.revoked_at_ms is not None:
            return None
        self.origins.append(origin)
        self.rows[session_id] = msgspec.structs.replace(
            row,
            generation=generation + 1,
            rotated_at_ms=self.now_ms,
            idle_expires_at_ms=self.now_ms + lifetime.idle_ms,
        )
        return self._read(session_id)

    async def of_user(self, user_id: UUID) -> Sequence[LiveSession]:
        raise NotImplementedError

    async def revoke(self, session_id: UUID, *, of: UUID | None = None) -> bool:
        row = self.rows.get(session_id)
        if row is None or row.revoked_at_ms is not None or of not in (None, row.holder.user_id):
            return False
        self.rows[session_id] = msgspec.structs.replace(row, revoked_at_ms=self.now_ms)
        return True

    def _read(self, session_id: UUID) -> Session | None:
        row = self.rows.get(session_id)
        if row is None:
            return None
        return msgspec.structs.replace(row, holder=self._holder(), now_ms=self.now_ms)

    def _holder(self) -> Holder:
        user = self.holder
        return Holder(user.id, user.username, user.roles, user.epoch, user.is_disabled)


class FreeAttempts:
    """A `LoginAttempts` without a limit; `attempts` and `successes` have what was told."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str, str]] = []
        self.successes: list[UUID] = []
        self.withdrawals: list[object] = []

    async def begin(self, username: str, address: str) -> object:
        self.attempts.append((username, address))
        return object()

    async def withdrawn(self, attempt: object) -> None:
        self.withdrawals.append(attempt)

    async def succeeded(self, attempt: object, user_id: UUID) -> None:
        del attempt
        self.successes.append(user_id)


class FakeSigner:
    """An `AccessTokenSigner` whose tokens are numbers; `signed` has what each of them says."""

    def __init__(self) -> None:
        self.signed: list[AccessClaims] = []

    def latest_expiry_s(self) -> float:
        return inf

    def sign(self, claims: AccessClaims) -> str:
        self.signed.append(claims)
        return f"access-token-{len(self.signed)}"


class FakeVerifier(Verifier):
    """A verifier that knows its tokens by heart."""

    def __init__(self, known: dict[bytes, VerifiedToken | Reason] | None = None) -> None:
        super().__init__([], most_remembered=0)
        self.known = known or {}
        self.asked: list[tuple[bytes, float]] = []

    def recall(self, token: bytes, now_s: float) -> VerifiedToken | None:
        is_seen = any(seen == token for seen, _ in self.asked)
        known = self.known.get(token) if is_seen else None
        return known if isinstance(known, VerifiedToken) and now_s < known.good_until_s else None

    def verify(self, token: bytes, now_s: float) -> VerifiedToken | Reason:
        self.asked.append((token, now_s))
        return self.known.get(token, Reason.SIGNATURE_INVALID)

    def claimed(self, token: bytes) -> tuple[str, str]:  # noqa: ARG002  # all are of one key
        return "https://edge.test", "the key"


class FakeRevocationList:
    """A `RevocationList` of token ids; `fault` is raised where the list is away."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.fault: Exception | None = None
        self.asked = 0

    def is_revoked(self, token: VerifiedToken) -> bool:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return token.token_id in self.revoked


def make_claims(**fields: object) -> AccessClaims:
    """Give claims that hold at `NOW_S` for the issuer and audience `https://edge.test`, `edge`."""
    return msgspec.structs.replace(_CLAIMS, **fields)


def make_token(**fields: object) -> VerifiedToken:
    """Give what these claims come to when verified."""
    policy = ClaimsPolicy(issuer="https://edge.test", audiences=frozenset({"edge"}), leeway_s=5)
    return OwnTokens(policy).accept(make_claims(**fields), b"", inf)


_CLAIMS: Final = AccessClaims(
    iss="https://edge.test",
    sub=str(UUID(int=1)),
    aud="edge",
    exp=NOW_S + 900,
    iat=NOW_S,
    jti=str(UUID(int=3)),
    client_id="first-party",
    sid=str(UUID(int=2)),
    epoch=0,
)
