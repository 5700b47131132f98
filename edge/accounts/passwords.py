"""What a new password may be (NIST SP 800-63B-4): long, not common, not guessable.

There are no composition rules and no forced changes.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from edge.reasons import Reason

# Below this, part of a context word says nothing ("al" of "alice").
_SHORTEST_CONTEXT_WORD: Final = 3


class Strength(msgspec.Struct, frozen=True):
    """What an estimator of the zxcvbn family says of a password."""

    score: int
    """0 (guessed at once) to 4 (strong)."""
    is_common: bool
    """It is among the first that anybody tries."""


Estimate = Callable[[str, Sequence[str]], Strength]
"""Estimates a password, given words an attacker would try first."""


def normalise_password(password: str) -> str:
    """Give the password in NFC, the form that is hashed.

    NFC, not NFKC: the same keys may yield composed or decomposed letters depending on the device,
    which NFC undoes and RFC 8265 section 4.2 (OpaqueString) asks for; the compatibility forms that
    NFKC would merge (² and 2) are different characters that a person chose.
    """
    return unicodedata.normalize("NFC", password)


class PasswordPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a new password; lengths are in characters after normalisation."""

    min_length: int
    max_length: int
    min_score: int
    service_name: str

    def judge(self, password: str, context: Sequence[str], estimate: Estimate) -> Reason | None:
        """Say what is wrong with a normalised password, None where it will do.

        `context` are words about the account, such as the username and the email address.
        """
        if len(password) < self.min_length:
            return Reason.PASSWORD_TOO_SHORT
        if len(password) > self.max_length:
            return Reason.PASSWORD_TOO_LONG
        if not is_encodable(password):
            return Reason.PASSWORD_NOT_TEXT
        return self._judge_strength(password, context, estimate)

    def _judge_strength(
        self, password: str, context: Sequence[str], estimate: Estimate
    ) -> Reason | None:
        alone = estimate(password, ())
        if alone.score < self.min_score:
            return Reason.PASSWORD_COMMON if alone.is_common else Reason.PASSWORD_GUESSABLE
        words = _context_words((*context, self.service_name))
        # Twice: the estimator sees through `4l1ce`, and the rest shows what context hides.
        for candidate in (password, _without(words, password)):
            if estimate(candidate, words).score < self.min_score:
                return Reason.PASSWORD_CONTEXTUAL
        return None


def is_encodable(text: str) -> bool:
    """Say whether the text is Unicode; lone surrogates are not, and no hash can take them."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _context_words(texts: Sequence[str]) -> list[str]:
    """Give the texts and their parts, longest first: of `ann@mail` also `mail` and `ann`."""
    words: set[str] = set()
    for text in texts:
        parts = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        words.update((text.lower(), *parts))
    long_enough = (word for word in words if len(word) >= _SHORTEST_CONTEXT_WORD)
    return sorted(long_enough, key=lambda word: (-len(word), word))


def _without(words: Sequence[str], password: str) -> str:
    """Give what is left of a password when context words count for nothing."""
    rest = password.lower()
    for word in words:
        rest = rest.replace(word, "")
    return rest if len(rest) < len(password) else password
