"""Access rules: which one counts, and who may by it."""

import pytest

from edge.access.access_rules import AccessRule, AccessRules
from edge.access.decision import Forbidden
from edge.access.principal import Principal
from edge.reasons import Reason

RULES = AccessRules(
    [
        AccessRule(name="preflights", methods=("OPTIONS",), is_public=True),
        AccessRule(name="shop", hosts=("shop.test",), paths=("/", "/static/*")),
        AccessRule(name="orders", hosts=("shop.test",), paths=("/orders", "/orders/*")),
        AccessRule(name="writing", hosts=("*.shop.test",), methods=("POST", "PUT")),
        AccessRule(name="reading", hosts=("*.shop.test",)),
    ]
)


@pytest.mark.parametrize(
    ("method", "host", "path", "rule"),
    [
        ("OPTIONS", "anything.test", "/", "preflights"),
        ("GET", "shop.test", "/", "shop"),
        ("GET", "shop.test", "/static/a/b.css", "shop"),
        ("GET", "shop.test", "/orders", "orders"),
        ("DELETE", "shop.test", "/orders/1", "orders"),
        ("GET", "shop.test", "/ordersx", None),
        ("GET", "shop.test", "/Orders", None),
        ("GET", "shop.test", "/other", None),
        ("POST", "a.shop.test", "/x", "writing"),
        ("GET", "a.shop.test", "/x", "reading"),
        ("GET", "ashop.test", "/orders", None),
        ("GET", "shop.test.evil.test", "/orders", None),
        ("GET", "", "/", None),
    ],
)
def test_the_first_rule_that_covers_a_request_counts(
    method: str, host: str, path: str, rule: str | None
) -> None:
    """By method, host and path, all of them; where none does there is none."""
    found = RULES.find(method, host, path)
    assert (found.name if found else None) == rule


@pytest.mark.parametrize(
    ("roles", "scopes", "reason"),
    [
        ({"admin"}, {"a", "b"}, None),
        ({"clerk", "x"}, {"a", "b", "c"}, None),
        (set(), {"a", "b"}, Reason.ROLE_MISSING),
        ({"user"}, {"a", "b"}, Reason.ROLE_MISSING),
        ({"admin"}, {"a"}, Reason.INSUFFICIENT_SCOPE),
        ({"admin"}, set(), Reason.INSUFFICIENT_SCOPE),
    ],
)
def test_one_role_and_all_scopes_are_needed(
    roles: set[str], scopes: set[str], reason: Reason | None
) -> None:
    """A refusal says which scopes would do."""
    rule = AccessRule(name="r", roles=frozenset({"admin", "clerk"}), scopes=frozenset({"b", "a"}))
    principal = Principal(
        subject="s", method="bearer", roles=frozenset(roles), scopes=frozenset(scopes)
    )
    needed = ("a", "b") if reason is Reason.INSUFFICIENT_SCOPE else ()
    assert rule.judge(principal) == (None if reason is None else Forbidden(reason, needed))


def test_a_public_rule_takes_no_method() -> None:
    """So that its 401 would challenge for nothing."""
    assert AccessRule(name="r", is_public=True).accepted == frozenset()
    assert AccessRule(name="r").accepted == {"bearer"}
