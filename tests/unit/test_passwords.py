"""What a new password may be, judged by itself and by the estimator we use."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.accounts.passwords import (
    PasswordPolicy,
    Strength,
    is_encodable,
    normalise_password,
)
from edge.accounts.zxcvbn import estimate
from edge.reasons import Reason
from edge.settings.model import Passwords
from tests.support.requirements import missing
from tests.support.secrets import remember

_COMMON_PASSWORDS: Final = (
    Path(__file__).parents[3] / "shared/vectors/common-passwords/django-common-passwords.txt"
)
_DEFAULTS: Final = Passwords()
_POLICY: Final = PasswordPolicy(
    min_length=_DEFAULTS.min_length,
    max_length=_DEFAULTS.max_length,
    min_score=_DEFAULTS.min_score,
    service_name="Nimbus Cloud Gate",
)


def strong(password: str, context: Sequence[str]) -> Strength:
    """Estimate every password as strong."""
    return Strength(4, is_common=False)


def judge(password: str, *context: str) -> Reason | None:
    remember(password)
    return _POLICY.judge(normalise_password(password), context, estimate)


# The rules, with an estimator that lets everything pass.


@pytest.mark.parametrize(
    ("length", "problem"),
    [
        (0, Reason.PASSWORD_TOO_SHORT),
        (14, Reason.PASSWORD_TOO_SHORT),
        (15, None),
        (64, None),
        (1024, None),
        (1025, Reason.PASSWORD_TOO_LONG),
        (100_000, Reason.PASSWORD_TOO_LONG),
    ],
)
@pytest.mark.parametrize("character", ["x", "\u00e9", "\u5c71", "\U0001f600", "\0"])
def test_length_is_bounded_in_characters(
    character: str, length: int, problem: Reason | None
) -> None:
    """From 15 to 1,024 characters are taken by default, however many bytes each of them is."""
    assert _POLICY.judge(character * length, (), strong) is problem


def test_composed_letters_count_once() -> None:
    """A decomposed letter is one character after normalisation, not two."""
    assert judge_length("e\u0301" * 14) is Reason.PASSWORD_TOO_SHORT
    assert judge_length("e\u0301" * 15) is None
    assert judge_length("e\u0301" * 1024) is None


def judge_length(password: str) -> Reason | None:
    return _POLICY.judge(normalise_password(password), (), strong)


def test_an_overlong_password_is_not_estimated() -> None:
    """The estimator never sees a password beyond the bounds, so its length costs nothing."""
    seen: list[str] = []

    def watching(password: str, context: Sequence[str]) -> Strength:
        seen.append(password)
        return Strength(4, is_common=False)

    for password in ("x" * 14, "x" * 1025, "x" * 20 + "\ud800"):
        _POLICY.judge(password, (), watching)
    assert seen == []


@pytest.mark.parametrize("broken", ["\ud800", "\udfff", "\udc80"])  # noqa: PT014  # ruff takes all surrogates for one
def test_lone_surrogates_are_not_text(broken: str) -> None:
    """A password that no encoding can carry is refused as such, before it is hashed."""
    password = f"fifteen characters {broken}"
    assert not is_encodable(password)
    assert _POLICY.judge(password, (), strong) is Reason.PASSWORD_NOT_TEXT


@given(st.text(st.characters()))
def test_encodable_means_that_utf_8_takes_it(text: str) -> None:
    """A text is encodable exactly when it can be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        assert not is_encodable(text)
    else:
        assert is_encodable(text)


@pytest.mark.parametrize(
    ("typed", "hashed"),
    [
        ("caf\u00e9 au lait", "caf\u00e9 au lait"),
        ("cafe\u0301 au lait", "caf\u00e9 au lait"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("\u212b", "\u00c5"),
        ("x\u00b2", "x\u00b2"),
        ("\uff21", "\uff21"),
        ("\ufb01", "\ufb01"),
        ("  space matters ", "  space matters "),
        ("pass\0word", "pass\0word"),
        ("Case Matters", "Case Matters"),
    ],
)
def test_passwords_are_hashed_in_nfc(typed: str, hashed: str) -> None:
    """Composed and decomposed letters are the same password; nothing else is merged or cut."""
    assert normalise_password(typed) == hashed


@pytest.mark.parametrize(
    ("alone", "in_context", "problem"),
    [
        (Strength(2, is_common=True), 2, Reason.PASSWORD_COMMON),
        (Strength(2, is_common=False), 2, Reason.PASSWORD_GUESSABLE),
        (Strength(3, is_common=False), 2, Reason.PASSWORD_CONTEXTUAL),
        (Strength(3, is_common=False), 3, None),
        (Strength(3, is_common=True), 3, None),
        (Strength(4, is_common=False), 0, Reason.PASSWORD_CONTEXTUAL),
    ],
)
def test_the_score_decides_and_each_refusal_has_its_reason(
    alone: Strength, in_context: int, problem: Reason | None
) -> None:
    """Below the score a password is common or guessable; with context words in mind, contextual."""

    def fixed(password: str, context: Sequence[str]) -> Strength:
        return Strength(in_context, is_common=False) if context else alone

    assert _POLICY.judge("fifteen characters", (), fixed) is problem


def test_score_zero_lets_every_password_of_the_right_length_pass() -> None:
    """With the lowest score asked for being 0, the estimate decides nothing."""
    policy = msgspec.structs.replace(_POLICY, min_score=0)
    assert policy.judge("aaaaaaaaaaaaaaaa", ("aaaaaaaaaaaaaaaa",), estimate) is None


def test_context_words_are_the_texts_and_their_longer_parts() -> None:
    """The estimator is told the texts and their parts of 3 letters or more, folded, each once."""
    told: list[Sequence[str]] = []

    def watching(password: str, context: Sequence[str]) -> Strength:
        told.append(list(context))
        return Strength(4, is_common=False)

    context = ("Al_Bartholomew", "al.bartholomew@Quillon.example")
    assert _POLICY.judge("fifteen characters", context, watching) is None
    words = [
        "al.bartholomew@quillon.example",
        "nimbus cloud gate",
        "al_bartholomew",
        "bartholomew",
        "example",
        "quillon",
        "nimbus",
        "cloud",
        "gate",
    ]
    assert told == [[], words, words]


@pytest.mark.parametrize(
    ("password", "rest"),
    [
        ("xK4!bartholomew7Qz-", "xk4!7qz-"),
        ("BARTHOLOMEWnimbusGate", ""),
        ("al-and-fifteen-others", "al-and-fifteen-others"),  # "al" says nothing
        ("Nothing Personal Here", "Nothing Personal Here"),
    ],
)
def test_context_words_count_for_nothing(password: str, rest: str) -> None:
    """A password has to be strong as it is and also without the context words in it."""
    seen: list[str] = []

    def watching(password: str, context: Sequence[str]) -> Strength:
        seen.append(password)
        return Strength(4, is_common=False)

    assert _POLICY.judge(password, ("al_bartholomew",), watching) is None
    assert seen == [password, password, rest]

    def only_the_rest_is_weak(candidate: str, context: Sequence[str]) -> Strength:
        return Strength(0 if candidate == rest and context else 4, is_common=False)

    problem = _POLICY.judge(password, ("al_bartholomew",), only_the_rest_is_weak)
    assert problem is Reason.PASSWORD_CONTEXTUAL


# With the estimator we use.


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "zuf\u00e4llig-gr\u00fcn-\u00d6l-42",
        "Tr0ub4dor&3-and-some-more",
        "\u5c71\u7530\u592a\u90ce\u306f\u6771\u4eac\u90fd\u306b\u4f4f\u3093\u3067\u3044\u307e\u3059",
        "".join(chr(0x1F400 + at * 37 % 60) for at in range(15)),
        "kV9!tq\0Zr4#mW\0x8",
        "vG4kQ9zT7xR2mW8pL5nB3jH6yD1fS0cA" * 2,
        "".join(chr(0x21 + at * 37 % 90) for at in range(1024)),
    ],
)
def test_strong_passwords_of_every_kind_are_taken(password: str) -> None:
    """Phrases, any script, emoji, NUL and up to 1,024 characters make a good password."""
    assert judge(password, "alice", "alice@mail.example") is None


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("qwertyuiop12345", Reason.PASSWORD_COMMON),
        ("password1234567", Reason.PASSWORD_COMMON),
        ("Password1234567", Reason.PASSWORD_COMMON),
        ("aaaaaaaaaaaaaaaa", Reason.PASSWORD_COMMON),
        ("passwordpassword", Reason.PASSWORD_COMMON),
        ("iloveyouiloveyou", Reason.PASSWORD_COMMON),
        ("\U0001f600" * 15, Reason.PASSWORD_COMMON),
        ("\0" * 15, Reason.PASSWORD_COMMON),
        ("a" * 1024, Reason.PASSWORD_COMMON),
        ("monkey1990-01-01", Reason.PASSWORD_GUESSABLE),
        ("sunshine20251123", Reason.PASSWORD_GUESSABLE),
        ("bartholomewcubbins", Reason.PASSWORD_CONTEXTUAL),
        ("Bartholomew-Cubbins1", Reason.PASSWORD_CONTEXTUAL),
        ("snibbuc.wemolohtrab", Reason.PASSWORD_CONTEXTUAL),
        ("zephyrine9quillon", Reason.PASSWORD_CONTEXTUAL),
        ("nimbuscloudgate", Reason.PASSWORD_CONTEXTUAL),
        ("NimbusCloudGate1", Reason.PASSWORD_CONTEXTUAL),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(password: str, problem: Reason) -> None:
    """Listed, repeated, dated and personal passwords are refused, and each is told why."""
    assert judge(password, "bartholomew.cubbins", "zephyrine9@quillon.example") is problem


@pytest.mark.parametrize("password", ["123456789012345", "abcdefghijklmnop12345", "j1234567890123"])
def test_the_reason_for_a_password_is_always_the_same(password: str) -> None:
    """Asked fifty times, the policy gives one reason."""
    policy = msgspec.structs.replace(_POLICY, min_length=8)
    assert len({policy.judge(password, (), estimate) for _ in range(50)}) == 1


@pytest.mark.parametrize(
    ("min_length", "refused", "out_of"),
    [
        (15, 19_624, 19_640),
        (8, 19_317, 19_640),
    ],
)
def test_the_share_of_common_passwords_refused_is_the_one_documented(
    min_length: int, refused: int, out_of: int
) -> None:
    """Of Django's 19,640 common passwords exactly this many are refused at the default score."""
    policy = msgspec.structs.replace(_POLICY, min_length=min_length, service_name="Edge")
    passwords = _common_passwords()
    accepted = [text for text in passwords if policy.judge(text, ("alice",), estimate) is None]
    assert (len(passwords) - len(accepted), len(passwords)) == (refused, out_of)


@pytest.mark.parametrize(
    ("at_least", "refused", "out_of"),
    [
        (15, 32, 48),
        (8, 8_031, 8_354),
    ],
)
def test_the_share_refused_by_strength_alone_is_the_one_documented(
    at_least: int, refused: int, out_of: int
) -> None:
    """Of the common passwords that are long enough, exactly this many are refused all the same."""
    policy = msgspec.structs.replace(_POLICY, min_length=at_least, service_name="Edge")
    passwords = [text for text in _common_passwords() if len(text) >= at_least]
    accepted = [text for text in passwords if policy.judge(text, ("alice",), estimate) is None]
    assert (len(passwords) - len(accepted), len(passwords)) == (refused, out_of)


def _common_passwords() -> list[str]:
    if not _COMMON_PASSWORDS.is_file():
        missing("common-passwords", f"the project's shared vectors, at {_COMMON_PASSWORDS}")
    return [normalise_password(line) for line in _COMMON_PASSWORDS.read_text().splitlines()]
