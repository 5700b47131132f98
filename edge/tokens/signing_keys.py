"""The signing keys of this Edge: made, exchanged, retired, and kept loaded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from edge.reasons import Reason
from edge.tokens.key_ring import KeyRing, RingKey
from edge.tokens.key_schedule import KeySchedule, KeyTimes, State, is_needed, states
from edge.tokens.keys import Algorithm
from edge.tokens.ports import KeyOpener, SigningKeyStore
from edge.tokens.signing_key import OpenedKey, SealedKey

_DAY_MS: Final = 86_400_000


class KnownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A stored key, for whoever looks after it."""

    algorithm: str
    state: State
    times: KeyTimes
    is_current: bool


class SigningKeys:
    """Changes the stored keys, and loads them into the ring. `monotonic` is in seconds."""

    def __init__(
        self,
        store: SigningKeyStore,
        opener: KeyOpener,
        ring: KeyRing,
        schedule: KeySchedule,
        *,
        algorithm: Algorithm,
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._opener = opener
        self._ring = ring
        self.schedule = schedule
        self._algorithm = algorithm
        self._monotonic = monotonic
        self._opened: dict[str, OpenedKey] = {}  # by sealed form, since opening takes time

    async def prepare(self) -> None:
        """Load the keys, and make the first one where there is none.

        Raises:
            UnavailableError: the store is away.
            ValueError: a key cannot be opened.
        """
        if not (await self._store.all()).keys:
            await self._store.add_first(self._opener.generate(self._algorithm))
        await self.load()

    async def load(self) -> None:
        """Load the keys as they are now; raises as `prepare` does, and then changes nothing."""
        began_s = self._monotonic()
        stored = await self._store.all()
        living = [key for key in stored.keys if not key.times.is_retired(stored.read_at_ms)]
        self._opened = {key.sealed.sealed_key: self._open(key.sealed) for key in living}
        keys = [RingKey(self._opened[key.sealed.sealed_key], key.times) for key in living]
        self._ring.load(keys, read_at_ms=stored.read_at_ms, began_s=began_s)

    async def all(self) -> Sequence[KnownKey]:
        """Give all keys there are, the earliest activated first; raises as `prepare` does."""
        stored = await self._store.all()
        state_of = states((key.times for key in stored.keys), stored.read_at_ms)
        return [
            KnownKey(
                algorithm=key.sealed.algorithm,
                state=state_of[key.times.kid],
                times=key.times,
                is_current=self._open(key.sealed).is_current,
            )
            for key in stored.keys
        ]

    def make(self, algorithm: Algorithm | None = None) -> SealedKey:
        """Make a new key, to be added."""
        return self._opener.generate(algorithm or self._algorithm)

    def seal(self, jwk: Mapping[str, Any], algorithm: Algorithm | None = None) -> SealedKey:
        """Seal a private key of somebody's own, to be added.

        Raises:
            KeyRefusedError: it is malformed, weak, public or not for signing.
        """
        return self._opener.seal(jwk, algorithm)

    async def add(self, key: SealedKey, *, in_s: int = 0, at_once: bool = False) -> bool:
        """Store a successor of all keys there are; False where one has this `kid` already.

        It signs in `in_s` seconds, but not before it has been published for long enough; unless
        `at_once`, and then whoever has cached the JWK Set refuses its tokens for a while.

        Raises:
            UnavailableError: the store is away.
        """
        delay_ms = max(in_s * 1000, 0 if at_once else self.schedule.publish_delay_ms)
        return await self._store.add(
            key, delay_ms=delay_ms, retirement_ms=self.schedule.retirement_ms
        )

    async def rotate_if_older(self, days: int) -> SealedKey | None:
        """Add a successor where the newest key is older; of several replicas, one does.

        Raises:
            UnavailableError: the store is away.
        """
        stored = await self._store.all()
        newest_ms = max((key.times.created_at_ms for key in stored.keys), default=0)
        if stored.read_at_ms - newest_ms < days * _DAY_MS:
            return None
        key = self.make()
        is_ours = await self._store.add(
            key,
            delay_ms=self.schedule.publish_delay_ms,
            retirement_ms=self.schedule.retirement_ms,
            unless_newer_than_ms=days * _DAY_MS,
        )
        return key if is_ours else None

    async def retire(self, kid: str, *, at_once: bool) -> Reason | None:
        """Let a key count for nothing from now on; the reason where it does not go.

        `key_needed`: without it, nothing would sign from its time on. `key_in_use`: tokens signed
        by it may be alive, and `at_once` was not asked for.

        Raises:
            UnavailableError: the store is away.
        """
        stored = await self._store.all()
        times = {key.times.kid: key.times for key in stored.keys}
        if kid not in times:
            return Reason.KEY_UNKNOWN
        state = states(times.values(), stored.read_at_ms)[kid]
        if state == "retired":
            return None
        if is_needed(times[kid], times.values(), stored.read_at_ms):
            return Reason.KEY_NEEDED
        if state == "retiring" and not at_once:
            return Reason.KEY_IN_USE
        await self._store.retire(kid)
        return None

    async def reseal(self) -> int:
        """Seal what the previous secret key sealed under the current one; gives how many.

        Raises:
            UnavailableError: the store is away.
            ValueError: a key cannot be opened.
        """
        stored = await self._store.all()
        old = [key.sealed for key in stored.keys if not self._open(key.sealed).is_current]
        for sealed in old:
            await self._store.replace(sealed, self._opener.reseal(sealed))
        return len(old)

    def _open(self, sealed: SealedKey) -> OpenedKey:
        return self._opened.get(sealed.sealed_key) or self._opener.open(sealed)
