"""Which role brings which, and which role may hold which scope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.access.rules import RoleHierarchy, ScopePolicy, parse_scope

INCLUDES = {
    "admin": ["moderator"],
    "moderator": ["user", "reader"],
    "reader": [],
    "hen": ["egg"],
    "egg": ["hen"],
    "narcissus": ["narcissus"],
    "one": ["two"],
    "two": ["three"],
    "three": ["one", "user"],
}


@pytest.mark.parametrize(
    ("assigned", "effective"),
    [
        ("", ""),
        ("user", "user"),
        ("reader", "reader"),
        ("moderator", "moderator user reader"),
        ("admin", "admin moderator user reader"),
        ("admin user", "admin moderator user reader"),
        ("unheard-of", "unheard-of"),
        ("unheard-of moderator", "unheard-of moderator user reader"),
        ("Admin", "Admin"),
        ("admi", "admi"),
        ("hen", "hen egg"),
        ("egg", "hen egg"),
        ("narcissus", "narcissus"),
        ("two", "one two three user"),
    ],
)
def test_a_role_brings_what_it_includes(assigned: str, effective: str) -> None:
    """Inclusion is transitive, goes one way, survives circles, and matches names exactly."""
    hierarchy = RoleHierarchy(INCLUDES)
    assert hierarchy.effective(assigned.split()) == frozenset(effective.split())


def test_nothing_is_included_unless_it_is_said() -> None:
    """Without configuration `admin` is just a word."""
    assert RoleHierarchy({}).effective(["admin"]) == frozenset({"admin"})


_ROLES = st.sampled_from("abcdefgh")
_GRAPHS = st.dictionaries(_ROLES, st.lists(_ROLES, max_size=4))


@given(_GRAPHS, st.sets(_ROLES), st.sets(_ROLES))
def test_effective_roles_are_a_closure(
    includes: dict[str, list[str]], some: set[str], more: set[str]
) -> None:
    """Whatever includes what: nothing is lost, twice is once, and more roles never bring less."""
    hierarchy = RoleHierarchy(includes)
    effective = hierarchy.effective(some)
    assert some <= effective
    assert hierarchy.effective(effective) == effective
    assert effective <= hierarchy.effective(some | more)
    assert hierarchy.effective(some | more) == effective | hierarchy.effective(more)


SCOPES = {
    "profile": ["user", "admin"],
    "moderate": ["moderator", "admin"],
    "admin": ["admin"],
    "nobody": [],
}


@pytest.mark.parametrize(
    ("asked", "roles", "granted"),
    [
        (None, "", ""),
        (None, "user", "profile"),
        (None, "moderator", "moderate"),
        (None, "user moderator", "profile moderate"),
        (None, "admin", "profile moderate admin"),
        (None, "stranger", ""),
        ("profile", "user", "profile"),
        ("profile", "admin", "profile"),
        ("profile moderate", "user", "profile"),
        ("moderate profile", "admin", "profile moderate"),
        ("profile profile", "user", "profile"),
        ("moderate", "user", None),
        ("nobody", "admin", None),
        ("profile", "", None),
        ("unknown", "admin", None),
        ("profile unknown", "admin", None),
        ("Profile", "user", None),
        ("profil", "user", None),
        ("", "admin", None),
        (" ", "admin", None),
        (" profile", "user", None),
        ("profile ", "user", None),
        ("profile  moderate", "admin", None),
        ("profile\tmoderate", "admin", None),
        ("profile\n", "user", None),
        ('profile"', "user", None),
        ("profil\u00e9", "user", None),
        ("profile\0", "user", None),
    ],
)
def test_scopes_are_granted_by_role(asked: str | None, roles: str, granted: str | None) -> None:
    """A login gets what it asks for and may have, all it may have unasked, and never nothing."""
    policy = ScopePolicy(SCOPES)
    given_ = policy.grant(asked, policy.allowed(frozenset(roles.split())))
    assert given_ == (None if granted is None else frozenset(granted.split()))


@given(
    st.none() | st.lists(st.sampled_from([*SCOPES, "unknown"]), min_size=1).map(" ".join),
    st.frozensets(st.sampled_from(["user", "moderator", "admin", "stranger"])),
)
def test_nobody_is_granted_more_than_allowed_or_asked(
    asked: str | None, roles: frozenset[str]
) -> None:
    """A grant is part of what the roles may hold and of what was asked for."""
    policy = ScopePolicy(SCOPES)
    granted = policy.grant(asked, policy.allowed(roles))
    if granted is not None:
        assert granted <= policy.allowed(roles)
        assert asked is None or granted <= set(asked.split())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a", {"a"}),
        ("a b", {"a", "b"}),
        ("b a b", {"a", "b"}),
        ("!#$%&'()*+,-./:;<=>?@[]^_`{|}~", {"!#$%&'()*+,-./:;<=>?@[]^_`{|}~"}),
        ("https://api.test/read", {"https://api.test/read"}),
        ("", None),
        (" ", None),
        ("a  b", None),
        ("a b ", None),
        ('"', None),
        ("\\", None),
        ("a\u00a0b", None),
        ("\x7f", None),
        ("\u00e9", None),
        ("\ud800", None),
    ],
)
def test_a_scope_parameter_is_tokens_and_single_spaces(text: str, tokens: set[str] | None) -> None:
    """The grammar is that of RFC 6749 section 3.3, to the character."""
    assert parse_scope(text) == tokens


@given(st.text(st.characters()))
def test_no_text_makes_scope_parsing_fail(text: str) -> None:
    """Any text is a set of tokens or none."""
    tokens = parse_scope(text)
    assert tokens is None or tokens == frozenset(text.split(" "))
