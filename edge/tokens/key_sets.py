"""The keys of a trusted issuer: fetched in the background, kept while it is away, bounded in all.

An identity provider's trouble is not the client's fault: while its keys cannot be had, tokens that
need them are 503, never 401, and nobody else's tokens notice.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from math import ceil
from typing import Final, Protocol

import msgspec

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.keys import KeyRefusedError, VerifyingKey

# Whoever sends tokens with made-up key ids makes us ask that often at most...
_ASKED_APART_S: Final = 10.0
# ...and not again for an id that was not there.
_REMEMBERED_S: Final = 60.0
_MOST_REMEMBERED: Final = 1000
# While it is away, sooner than when all is well.
_RETRY_S: Final = 15.0


class FetchError(Exception):
    """A key set could not be fetched; the message says why, and holds no secret."""


class KeySetFetcher(Protocol):
    """Where a JWK Set is."""

    async def fetch(self) -> bytes:
        """Give the document.

        Raises:
            FetchError: it is not to be had, or it is none.
        """
        ...

    async def close(self) -> None: ...


class FetchedKeys(msgspec.Struct, frozen=True):
    """The usable keys of a set, and why others were left out."""

    keys: list[VerifyingKey]
    left_out: list[str]


class KeySetTiming(msgspec.Struct, frozen=True, kw_only=True):
    """How often a set is fetched, and how long it is good without being fetched again, in seconds.

    `jitter` gives a number around 1 that intervals are multiplied with, so that replicas do not
    all ask at once. `clock` is seconds since the epoch.
    """

    refresh_s: float
    stale_s: float
    clock: Callable[[], float]
    jitter: Callable[[], float]


class KeySetWatcher(Protocol):
    """Is told what happens to a key set."""

    def keys_changed(self, kids: list[str], left_out: list[str]) -> None: ...

    def unavailable(self, problem: str) -> None:
        """Take note of a failure; told once, until it works again."""
        ...


class RemoteKeySet:
    """The `KeySource` of one issuer. `trust` takes the keys; `parse` raises `KeyRefusedError`."""

    def __init__(
        self,
        fetcher: KeySetFetcher,
        *,
        parse: Callable[[bytes], FetchedKeys],
        trust: Callable[[Iterable[VerifyingKey]], None],
        timing: KeySetTiming,
        watcher: KeySetWatcher,
    ) -> None:
        self._fetcher = fetcher
        self._parse = parse
        self._trust = trust
        self._timing = timing
        self._watcher = watcher
        self._kids: frozenset[str] = frozenset()
        self._good_until_s = 0.0
        self._is_away = False
        self._fetching: asyncio.Task[None] | None = None
        self._asked_at_s = -_ASKED_APART_S
        self._met: set[str] = set()  # key ids that came since the last fetch began
        self._unknown: OrderedDict[str, float] = OrderedDict()  # key id to when it is forgotten

    async def look_again(self, kid: str) -> bool:
        """Fetch the set where that may help, once for all who ask; not for ids that were not in it.

        An id is refused only by a fetch that began after it was met: an earlier one may have been
        just before the key came.

        Raises:
            UnavailableError: whether the set has this key is not known, or not yet.
        """
        now_s = self._timing.clock()
        if not self._has(kid, now_s) and not self._lacks(kid, now_s):
            if len(self._met) < _MOST_REMEMBERED:
                self._met.add(kid)
            if self._fetching is not None or self._pause_s(now_s) <= 0:
                await self._ask(now_s)
            now_s = self._timing.clock()
        if self._has(kid, now_s):
            return True
        if self._lacks(kid, now_s) and now_s < self._good_until_s and not self._is_away:
            return False
        retry_after_s = max(1, ceil(self._pause_s(now_s)))
        raise UnavailableError(Reason.ISSUER_UNAVAILABLE, retry_after_s=retry_after_s)

    async def refresh(self) -> None:
        """Fetch the set now; whoever comes meanwhile waits for the same answer."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._refresh())
        await asyncio.shield(self._fetching)

    async def run(self) -> None:
        """Fetch for ever, from the second time on; never fails."""
        while True:
            if self._fetching is not None:
                await asyncio.shield(self._fetching)
            pause_s = (
                min(_RETRY_S, self._timing.refresh_s) if self._is_away else self._timing.refresh_s
            )
            await asyncio.sleep(pause_s * self._timing.jitter())
            await self.refresh()

    async def check(self) -> None:
        """Say by raising that the set could not be fetched."""
        if self._is_away or not self._good_until_s:
            raise UnavailableError(Reason.ISSUER_UNAVAILABLE)

    async def close(self) -> None:
        await self._fetcher.close()

    async def _ask(self, now_s: float) -> None:
        if self._fetching is None:
            self._asked_at_s = now_s
        await self.refresh()

    async def _refresh(self) -> None:
        met, self._met = self._met | self._kids, set()
        try:
            self._take(self._parse(await self._fetcher.fetch()))
            self._remember_unknown(met - self._kids)
        except (FetchError, KeyRefusedError, ValueError) as error:
            if not self._is_away:
                self._is_away = True
                self._watcher.unavailable(str(error))
        finally:
            self._fetching = None

    def _take(self, fetched: FetchedKeys) -> None:
        self._is_away = False
        self._good_until_s = self._timing.clock() + self._timing.stale_s
        kids = frozenset(key.kid for key in fetched.keys)
        self._trust(
            msgspec.structs.replace(key, retires_at_s=self._good_until_s) for key in fetched.keys
        )
        for kid in kids:
            self._unknown.pop(kid, None)
        if kids != self._kids:
            self._kids = kids
            self._watcher.keys_changed(sorted(kids), fetched.left_out)

    def _pause_s(self, now_s: float) -> float:
        """Give how long nobody may ask again; not for longer because a clock was set back."""
        return _ASKED_APART_S - abs(now_s - self._asked_at_s)

    def _has(self, kid: str, now_s: float) -> bool:
        return kid in self._kids and now_s < self._good_until_s

    def _lacks(self, kid: str, now_s: float) -> bool:
        return now_s < self._unknown.get(kid, 0.0)

    def _remember_unknown(self, kids: Iterable[str]) -> None:
        until_s = self._timing.clock() + _REMEMBERED_S
        for kid in kids:
            self._unknown[kid] = until_s
            self._unknown.move_to_end(kid)
        while len(self._unknown) > _MOST_REMEMBERED:
            self._unknown.popitem(last=False)
