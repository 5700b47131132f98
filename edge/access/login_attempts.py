"""Limits on attempts to log in: charged before the hash, given back when the password was right."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from edge.accounts.ports import KnownNetworks
from edge.accounts.user import normalise_username, username_key
from edge.faults import TooManyAttemptsError
from edge.ratelimit.limiter import Admission, Limiter, apply
from edge.ratelimit.partition import Facts, network_of
from edge.ratelimit.policy import Policy

_MICROSECONDS = 1_000_000


class Attempt(msgspec.Struct, frozen=True):
    """An attempt that may go on: what it was charged, and where it comes from."""

    admission: Admission
    network: str


class LimitedAttempts:
    """The `LoginAttempts` port. `policies` are those that count logins.

    A window over a whole account refuses strangers only: networks from which that account has
    logged in lately are not counted in it, so nobody can lock the owner out.
    """

    def __init__(
        self, limiter: Limiter, policies: Iterable[Policy], networks: KnownNetworks
    ) -> None:
        self._limiter = limiter
        self._policies = tuple(policies)
        self._for_known = tuple(p for p in self._policies if "address" in p.partition)
        self._networks = networks

    async def begin(self, username: str, address: str) -> Attempt:
        network = network_of(address)
        account = account_of(username)
        facts = Facts(address=address, account=account)
        # What is known to be refused does not reach the database, or floods of it would.
        admission = self._limiter.recall(apply(self._for_known, facts))
        if admission is None:
            policies = self._policies
            if policies != self._for_known and await self._networks.knows(account, network):
                policies = self._for_known
            admission = await self._limiter.acquire(apply(policies, facts))
        if admission.refused_by is not None:
            wait_us = admission.retry_after_us
            wait_s = None if wait_us is None else -(-wait_us // _MICROSECONDS)
            raise TooManyAttemptsError(admission.refused_by.name, retry_after_s=wait_s)
        return Attempt(admission, network)

    async def succeeded(self, attempt: Attempt, user_id: UUID) -> None:
        if self._policies:
            await self._limiter.give_back(attempt.admission)
            await self._networks.remember(user_id, attempt.network)

    async def withdrawn(self, attempt: Attempt) -> None:
        await self._limiter.give_back(attempt.admission)


def account_of(username: str) -> str:
    """Give what attempts at a name are counted by.

    Names that nobody can have count like others: they must not be told apart by being free.
    """
    return username_key(normalise_username(username) or username)
