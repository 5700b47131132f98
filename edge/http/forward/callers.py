"""Who came to a rule before: what holds for them each time."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import msgspec

from edge.access.access_rules import AccessRule
from edge.access.decision import Forbidden
from edge.access.principal import Principal
from edge.http.forward.identity import Fields
from edge.ratelimit.limiter import Applied

# About 500 bytes each, beside what is remembered of the token, and the fields: 4 kB at most.
_MOST: Final = 10_000

_Key = tuple[int, str, str]


class Caller(msgspec.Struct, frozen=True):
    """A principal at a rule: what they are charged, why they may not, what the service is told."""

    principal: Principal
    charges: Sequence[Applied]
    refusal: Forbidden | None
    fields: Fields


class Callers:
    """Remembers the newest ones, each by the rule and the address that they came from.

    A principal is told from others by identity: whoever is remembered stays alive, so that no other
    one can take its place.
    """

    def __init__(self) -> None:
        self._remembered: OrderedDict[_Key, Caller] = OrderedDict()

    def recall(self, principal: Principal, rule: AccessRule, address: str) -> Caller | None:
        return self._remembered.get((id(principal), rule.name, address))

    def remember(self, caller: Caller, rule: AccessRule, address: str) -> None:
        self._remembered[id(caller.principal), rule.name, address] = caller
        if len(self._remembered) > _MOST:
            self._remembered.popitem(last=False)
