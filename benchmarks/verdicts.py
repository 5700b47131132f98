"""What a whole comparison says, and the exit code that a CI job acts on."""

from collections.abc import Collection, Mapping
from enum import IntEnum
from typing import Final

from benchmarks.results import Verdict


class ExitCode(IntEnum):
    """What a command ends with; 2 is wrong usage, by click."""

    OK = 0
    REGRESSED = 1
    FAILED = 3  # a case failed or is missing, or nothing was measured
    INVALID = 4  # or, with --strict, inconclusive
    STOPPED = 130  # by Control-C, as shells have it


# The first that is there is the verdict. What cannot be trusted comes before what was found.
_BY_WEIGHT: Final = (
    Verdict.FAILED,
    Verdict.REMOVED,
    Verdict.INVALID,
    Verdict.REGRESSED,
    Verdict.INCONCLUSIVE,
    Verdict.IMPROVED,
)

_COMPARED: Final = {Verdict.REGRESSED, Verdict.INCONCLUSIVE, Verdict.IMPROVED, Verdict.OK}

_EXIT_CODES: Final = {
    Verdict.FAILED: ExitCode.FAILED,
    Verdict.REMOVED: ExitCode.FAILED,
    Verdict.INVALID: ExitCode.INVALID,
    Verdict.REGRESSED: ExitCode.REGRESSED,
}


def whole(
    cases: Mapping[str, Verdict], expected: Collection[str], *, is_control_off: bool
) -> Verdict:
    """Give the verdict of a comparison; a case that is expected and not there is a failure.

    A comparison that compared nothing failed too: a gate must not pass because nothing ran.
    """
    found = set(cases.values())
    if not found & _COMPARED or any(name not in cases for name in expected):
        found.add(Verdict.FAILED)
    if is_control_off:
        found.add(Verdict.INVALID)
    return next((verdict for verdict in _BY_WEIGHT if verdict in found), Verdict.OK)


def exit_code(verdict: Verdict, *, is_strict: bool) -> ExitCode:
    """Give what the command ends with."""
    if verdict is Verdict.INCONCLUSIVE and is_strict:
        return ExitCode.INVALID
    return _EXIT_CODES.get(verdict, ExitCode.OK)
