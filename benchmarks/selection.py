"""Which cases are meant: the core, the quick ones, or those whose ids fit an expression."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.harness.errors import UsageError
from benchmarks.harness.protocol import Described

FLOOR: Final = "floor"
PEER: Final = "peer"

_END: Final = "the end"
_WORD: Final = re.compile(r"[()]|[^\s()]+")

Matches = Callable[[str], bool]


def is_product(case: Described) -> bool:
    """Say whether a case measures Edge, and not what Edge is compared with."""
    return case.group not in (FLOOR, PEER)


def to_compare(
    cases: Sequence[Described], *, expression: str | None, is_quick: bool, is_all: bool
) -> list[Described]:
    """Give the cases of a comparison: those that the expression fits, or else the core.

    Raises:
        UsageError: the expression cannot be read.
    """
    wanted = [case for case in cases if is_product(case)]
    if expression is not None or is_all:
        return matching(wanted, expression)
    return [case for case in wanted if (case.quick if is_quick else case.gated)]


def to_run(
    cases: Sequence[Described], *, expression: str | None, is_quick: bool
) -> list[Described]:
    """Give the cases of a run that are measured for themselves, not only beside another one.

    Raises:
        UsageError: the expression cannot be read.
    """
    is_everything = expression is not None or not is_quick
    chosen = matching([case for case in cases if is_everything or case.quick], expression)
    beside = {reference for case in chosen for reference in case.of}
    return [case for case in chosen if case.id not in beside]


def some(cases: list[Described], expression: str | None) -> list[Described]:
    """Give the cases that were chosen.

    Raises:
        UsageError: there are none.
    """
    if not cases:
        which = "case" if expression is None else f"case that matches -k {expression!r}"
        message = f"there is no {which}; edge-bench list shows what there is"
        raise UsageError(message)
    return cases


def matching(cases: Sequence[Described], expression: str | None) -> list[Described]:
    """Give the cases that an expression fits.

    Raises:
        UsageError: the expression cannot be read.
    """
    fits = parse(expression) if expression is not None else lambda _: True
    return [case for case in cases if fits(case.id)]


def parse(expression: str) -> Matches:
    """Read an expression as pytest has it: parts of ids, `and`, `or`, `not`, parentheses.

    Raises:
        UsageError: it cannot be read.
    """
    words = _WORD.findall(expression)
    fits = _either(words)
    if words:
        raise _unreadable(words[0])
    return fits


def _either(words: list[str]) -> Matches:
    left = _both(words)
    if not _next_is(words, "or"):
        return left
    right = _either(words)
    return lambda text: left(text) or right(text)


def _both(words: list[str]) -> Matches:
    left = _one(words)
    if not _next_is(words, "and"):
        return left
    right = _both(words)
    return lambda text: left(text) and right(text)


def _one(words: list[str]) -> Matches:
    if _next_is(words, "not"):
        inner = _one(words)
        return lambda text: not inner(text)
    if _next_is(words, "("):
        inner = _either(words)
        if not _next_is(words, ")"):
            raise _unreadable(_END)
        return inner
    if not words or words[0] in {")", "and", "or"}:
        raise _unreadable(words[0] if words else _END)
    part = words.pop(0)
    return lambda text: part in text


def _next_is(words: list[str], word: str) -> bool:
    """Take the next word if it is this one."""
    if words[:1] != [word]:
        return False
    del words[0]
    return True


def _unreadable(at: str) -> UsageError:
    return UsageError(f"-k cannot be read at {at}; write it as in 'verify and not cold'")
