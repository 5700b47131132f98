"""Who came to a rule before."""

from edge.access.access_rules import AccessRule
from edge.access.principal import Principal
from edge.http.forward.callers import Caller, Callers

STAFF, OPEN = AccessRule(name="staff"), AccessRule(name="open")


def principal() -> Principal:
    return Principal(subject="anna", method="bearer", roles=frozenset(), scopes=frozenset())


def caller(who: Principal) -> Caller:
    return Caller(who, charges=(), refusal=None, fields=[])


def test_a_caller_is_known_again_only_at_that_rule_and_from_that_address() -> None:
    """By the very principal, not one that is equal: its token is another."""
    callers, anna = Callers(), principal()
    known = caller(anna)
    callers.remember(known, STAFF, "203.0.113.1")
    assert callers.recall(anna, STAFF, "203.0.113.1") is known
    assert callers.recall(anna, OPEN, "203.0.113.1") is None
    assert callers.recall(anna, STAFF, "203.0.113.2") is None
    assert callers.recall(principal(), STAFF, "203.0.113.1") is None


def test_who_is_remembered_stays_alive_and_the_oldest_goes_first() -> None:
    """No new principal can have the identity of one that is remembered; 10,000 are kept."""
    callers, first = Callers(), principal()
    callers.remember(caller(first), STAFF, "")
    for _ in range(9_999):
        callers.remember(caller(principal()), STAFF, "")
    assert callers.recall(first, STAFF, "") is not None
    assert all(callers.recall(principal(), STAFF, "") is None for _ in range(1000))
    callers.remember(caller(principal()), STAFF, "")
    assert callers.recall(first, STAFF, "") is None
