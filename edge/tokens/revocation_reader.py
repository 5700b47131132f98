"""Keeping a process's view of the revocations fresh.

The database is the truth. It is read every half bound, each time from well before the last complete
read: a row gets its time before its transaction commits, and counting ids instead would miss rows
that commit late. Whoever revokes something wakes the readers early, but nothing depends on it.
"""

import asyncio
from collections.abc import Callable
from math import ceil
from typing import Final, Literal

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.stores.announcing import Announce, to_nobody
from edge.tokens.claims import VerifiedToken
from edge.tokens.ports import RevocationLog
from edge.tokens.revocations import RevocationSnapshot
from edge.uncut import to_its_end

# However short transactions are: the database may be another one with a clock that is behind.
_LEAST_OVERLAP_S: Final = 10


class RevocationReader:
    """The `RevocationList` port: looks up locally, reads in the background.

    `bound_s` is after how long a revocation holds here, `longest_write_s` how long after its time a
    row may come to be seen; `clock` is monotonic. Where the list could not be read for longer than
    the bound, `on_outage` says whether tokens are still served.
    `keys_changed` is called when a signing key was changed by hand, `unavailable` once an outage;
    `publish` tells other processes of a revocation made here.
    """

    def __init__(
        self,
        log: RevocationLog,
        *,
        bound_s: float,
        longest_write_s: float,
        on_outage: Literal["serve", "refuse"],
        clock: Callable[[], float],
        keys_changed: Callable[[], None],
        unavailable: Callable[[], None],
        publish: Announce = to_nobody,
    ) -> None:
        self._log = log
        self._bound_s = bound_s
        self._overlap_ms = ceil(max(_LEAST_OVERLAP_S, longest_write_s) * 1000)
        self._refuses = on_outage == "refuse"
        self._clock = clock
        self._keys_changed = keys_changed
        self._unavailable = unavailable
        self._publish = publish
        self._snapshot = RevocationSnapshot()
        self._known_keys: frozenset[tuple[str, int]] = frozenset()
        self._since_ms: int | None = None
        self._complete_at_s: float | None = None
        self._is_away = False
        self._woken = asyncio.Event()
        self._reading = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many revocations matter now."""
        return len(self._snapshot)

    @property
    def lag_s(self) -> float:
        """How old the view is: seconds since the last complete read began."""
        return 0.0 if self._complete_at_s is None else self._clock() - self._complete_at_s

    def is_revoked(self, token: VerifiedToken) -> bool:
        if self._refuses and self.lag_s > self._bound_s:
            raise UnavailableError(Reason.REVOCATIONS_UNAVAILABLE)
        return self._snapshot.is_revoked(token)

    async def read(self) -> None:
        """Read what is new in the list.

        Raises:
            UnavailableError: the list is away; the view stays as it was.
        """
        async with self._reading:
            self._next = None
            began_s = self._clock()
            changes = await self._log.since(self._since_ms)
            self._snapshot.apply(change for change in changes.rows if change.kind != "key")
            self._snapshot.prune(changes.read_at_ms)
            self._since_ms = changes.read_at_ms - self._overlap_ms
            is_first, self._complete_at_s = self._complete_at_s is None, began_s
        keys = frozenset((c.subject, c.expires_at_ms) for c in changes.rows if c.kind == "key")
        if not is_first and keys - self._known_keys:
            self._keys_changed()
        self._known_keys = keys

    def wake(self) -> None:
        """Read soon: somebody says that there is something new."""
        self._woken.set()

    async def announce(self) -> None:
        """See to it that what was revoked here holds here, and that others hear of it.

        Any number that come at the same time wait for one read, which begins after they came.
        """
        if self._complete_at_s is None:
            return  # this process serves nothing
        if self._next is None:
            self._next = asyncio.create_task(self._try_to_read())
        await asyncio.shield(self._next)
        await self._publish()

    async def run(self) -> None:
        """Read for ever; never fails."""
        self._woken = asyncio.Event()  # an app that is started again has another event loop
        while True:
            began_s = self._clock()
            await to_its_end(self._try_to_read())
            rest_s = began_s + self._bound_s / 2 - self._clock()
            try:
                async with asyncio.timeout(max(rest_s, self._bound_s / 10)):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()

    async def _try_to_read(self) -> None:
        try:
            await self.read()
        except UnavailableError:
            if not self._is_away:
                self._is_away = True
                self._unavailable()
        else:
            self._is_away = False
