"""Usernames, full names and role names."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.accounts.user import (
    StoredCredentials,
    is_role_name,
    normalise_full_name,
    normalise_username,
    username_key,
)
from tests.support.fakes import make_user

ANY_TEXT = st.text(st.characters())  # lone surrogates too


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("alice", "alice"),
        ("Alice", "Alice"),
        ("abc", "abc"),
        ("a" * 64, "a" * 64),
        ("4lice", "4lice"),
        ("ann.lee_2-x@mail+tag", "ann.lee_2-x@mail+tag"),
        ("\uff21\uff4c\uff49\uff43\uff45", "Alice"),
        ("\uff21\uff20\uff22", "A@B"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("\ufb01ona", "fiona"),
        ("Stra\u00dfe", "Stra\u00dfe"),
        ("\u0130stanbul", "\u0130stanbul"),
        ("\u0131rmak", "\u0131rmak"),
        ("\u5c71\u7530\u592a", "\u5c71\u7530\u592a"),
        ("\u0645\u062d\u0645\u062f", "\u0645\u062d\u0645\u062f"),
        ("\u0930\u093e\u092e", "\u0930\u093e\u092e"),
        ("x\u00b2y", "x2y"),
    ],
)
def test_a_username_is_kept_in_nfkc(typed: str, stored: str) -> None:
    """What is stored is the NFKC form of what was typed, in the case it was typed in."""
    assert normalise_username(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ab",
        "a" * 65,
        "a" * 63 + "\ufb03",  # one character typed, three in NFKC
        "e\u0301e\u0301",  # four characters typed, two in NFKC
        "ali:ce",
        "ali\uff1ace",  # a full-width colon is a colon in NFKC
        "ali,ce",
        "ali/ce",
        "ali\\ce",
        "ali\uff0fce",
        "ali ce",
        "ali\u00a0ce",
        " alice",
        "alice ",
        "ali%ce",
        'ali"ce',
        "ali;ce",
        ".alice",
        "-alice",
        "@alice",
        "+alice",
        "_alice",
        "\u0301alice",
        "\uff0ealice",
        "ali\0ce",
        "ali\nce",
        "ali\tce",
        "ali\x7fce",
        "ali\x85ce",
        "ali\u200bce",
        "ali\u200cce",
        "ali\u200dce",
        "ali\u2060ce",
        "ali\ufeffce",
        "ali\u00adce",
        "ali\u202ece",
        "ali\u2028ce",
        "ali\ue000ce",
        "ali\uffffce",
        "ali\ud800ce",
        "\udfffalice",
        "ali\U0001f600ce",
        "ali\u00a8ce",
        "ali\u2100ce",
    ],
)
def test_what_may_not_be_a_username_is_none(typed: str) -> None:
    """Names out of bounds, separators, controls, invisible and broken characters are refused."""
    assert normalise_username(typed) is None


@pytest.mark.parametrize(
    "invisible",
    [
        "\u034f",  # combining grapheme joiner
        "\ufe0f",  # variation selector 16
        "\U000e0100",  # variation selector 17
        "\u180b",  # Mongolian variation selector
        "\u115f",  # Hangul choseong filler
        "\u1160",  # Hangul jungseong filler
        "\u3164",  # Hangul filler
        "\uffa0",  # half-width Hangul filler
        "\u17b4",  # Khmer inherent vowel
    ],
)
def test_two_usernames_that_look_the_same_are_not_both_possible(invisible: str) -> None:
    """A letter or mark that shows nothing (Default_Ignorable_Code_Point) is no part of a name."""
    typed = f"ali{invisible}ce"
    name = normalise_username(typed)
    assert name is None or username_key(name) == "alice"


@given(ANY_TEXT)
def test_a_stored_username_is_always_within_its_rules(typed: str) -> None:
    """Whatever is typed, a name that comes out is NFKC, 3 to 64 long and its own normal form."""
    name = normalise_username(typed)
    if name is not None:
        assert unicodedata.is_normalized("NFKC", name)
        assert 3 <= len(name) <= 64
        assert not set(name) & set(':,;/\\ "')
        assert normalise_username(name) == name
        assert username_key(name) == username_key(typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "ALICE"),
        ("alice", "\uff21\uff2c\uff29\uff23\uff25"),
        ("stra\u00dfe", "STRASSE"),
        ("stra\u00dfe", "STRA\u1e9eE"),
        ("am\u00e9lie", "AME\u0301LIE"),
        ("\u03c3\u03c4\u03b1\u03c2", "\u03a3\u03a4\u0391\u03a3"),
        ("\ufb03x", "FFIX"),
        ("x\u00b2y", "X2Y"),
        ("\u212bngstr\u00f6m", "\u00e5NGSTR\u00d6M"),
        ("\u1fb3\u0301x", "\u1fb4X"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    """Case, width and composition do not make a different user."""
    assert username_key(one) == username_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "alicf"),
        ("irmak", "\u0131rmak"),  # the Turkish dotless i is a letter of its own
        ("istanbul", "\u0130stanbul"),  # a dotted capital folds to an i and a dot
        ("amelie", "am\u00e9lie"),
        ("alice", "\u0430lice"),  # a Cyrillic a
        ("a.b", "a_b"),
    ],
)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    """Letters that only look alike stay different."""
    assert username_key(one) != username_key(other)


@given(ANY_TEXT)
def test_a_key_is_its_own_key(text: str) -> None:
    """Making the key of a key changes nothing."""
    key = username_key(text)
    assert username_key(key) == key


def test_a_key_is_its_own_key_for_every_character_there_is() -> None:
    """Folding and normalising once more changes no character of Unicode, also after U+0345."""
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    for chunk in ("".join(characters[at : at + 4096]) for at in range(0, len(characters), 4096)):
        for text in (chunk, "\u0345".join(chunk)):
            key = username_key(text)
            assert username_key(key) == key


def test_the_longest_key_fits_its_column() -> None:
    """No name that is allowed has a key longer than the 256 characters it is stored in."""
    worst = 0
    for code in range(0x110000):
        name = normalise_username(chr(code) * 3)
        if name is not None:
            worst = max(worst, -(-len(username_key(name)) // len(name)))
    assert worst * 64 <= 256


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Alice Liddell", "Alice Liddell"),
        ("  Alice \t", "Alice"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("x\u00b2", "x\u00b2"),  # NFC, not NFKC: it is shown, never compared
        ("O'Neil, Jr.", "O'Neil, Jr."),
        ("\u5c71\u7530", "\u5c71\u7530"),
        ("a", "a"),
        ("a" * 200, "a" * 200),
        ("", None),
        (" \n ", None),
        ("a" * 201, None),
        ("Alice\nLiddell", None),
        ("Alice\x1b[31m", None),
        ("Alice\0", None),
        ("Alice\u202e", None),
        ("Alice\u2028Liddell", None),
        ("Alice\ud800", None),
    ],
)
def test_a_full_name_is_printable_text_without_outer_space(typed: str, stored: str | None) -> None:
    """A full name is NFC, trimmed, 1 to 200 characters and free of controls."""
    assert normalise_full_name(typed) == stored


@given(ANY_TEXT)
def test_a_stored_full_name_is_its_own_normal_form(typed: str) -> None:
    """Normalising a full name once more changes nothing."""
    name = normalise_full_name(typed)
    if name is not None:
        assert normalise_full_name(name) == name


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("admin", True),
        ("a", True),
        ("a1_-z", True),
        ("a" * 32, True),
        ("a" * 33, False),
        ("", False),
        ("Admin", False),
        ("1admin", False),
        ("_admin", False),
        ("-admin", False),
        ("ad min", False),
        ("ad,min", False),
        ("admin\n", False),
        ("\uff41dmin", False),
        ("\u00e4dmin", False),
        ("admin\ud800", False),
    ],
)
def test_role_names_are_plain_words(text: str, is_one: bool) -> None:  # noqa: FBT001  # a row of the table
    """A role is a lower-case ASCII word of 1 to 32 characters that starts with a letter."""
    assert is_role_name(text) is is_one


def test_credentials_do_not_show_the_hash() -> None:
    """The representation of stored credentials names the user and nothing else."""
    shown = repr(StoredCredentials(make_user(), "$argon2id$the-hash"))
    assert shown == "StoredCredentials(user=00000000-0000-0000-0000-000000000001)"
