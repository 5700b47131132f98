"""What a report says first, and in which order: the same for every format."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from benchmarks.report.figures import percent
from benchmarks.report.markup import shortened
from benchmarks.results import CaseResult, Comparison, Environment, Measured, Side, Verdict

# Steal from here on makes times of any kind doubtful (bench.md section 3.4).
_MUCH_STEAL: Final = 0.05

# A comment of GitHub holds 65,536 letters; an error is there to be recognised, not to be read.
_MOST_OF_ERROR: Final = 300

Shape = Literal["disc", "up", "down", "diamond", "cross", "plus", "minus"]


class Mark(msgspec.Struct, frozen=True):
    """How a verdict is shown: a colour never says it alone."""

    symbol: str
    emoji: str
    shape: Shape
    tone: Literal["bad", "good", "warn", "plain"]


# In the order in which they are listed: what asks for somebody comes first.
MARKS: Final = {
    Verdict.FAILED: Mark("✖", "❌", "cross", "bad"),
    Verdict.REGRESSED: Mark("▲", "❌", "up", "bad"),
    Verdict.INVALID: Mark("✖", "⚠️", "cross", "warn"),
    Verdict.INCONCLUSIVE: Mark("◆", "⚠️", "diamond", "warn"),
    Verdict.REMOVED: Mark("-", "⚠️", "minus", "warn"),
    Verdict.NEW: Mark("+", "🆕", "plus", "plain"),
    Verdict.IMPROVED: Mark("▼", "✅", "down", "good"),
    Verdict.OK: Mark("●", "✅", "disc", "plain"),
}
_RANK: Final = {verdict: rank for rank, verdict in enumerate(MARKS)}


def ordered(cases: Iterable[CaseResult]) -> list[CaseResult]:
    """Give cases with those first that ask for somebody, and of these the greatest change."""
    return sorted(cases, key=lambda one: (_RANK[one.verdict], -_size(one), one.id))


def changed(cases: Sequence[CaseResult]) -> list[CaseResult]:
    """Give the cases that are to be looked at, in order."""
    return [case for case in ordered(cases) if case.verdict is not Verdict.OK]


def unchanged(cases: Sequence[CaseResult]) -> list[CaseResult]:
    """Give the others."""
    return [case for case in ordered(cases) if case.verdict is Verdict.OK]


def counts(result: Comparison) -> str:
    """Give how many cases have which verdict: "1 regressed · 23 ok"."""
    found = Counter(case.verdict for case in result.cases)
    return " · ".join(f"{found[one]} {one}" for one in MARKS if found[one]) or "nothing measured"


def remarks(result: Comparison) -> list[str]:
    """Give what limits how far the figures can be trusted."""
    said = [_control(result)]
    if not any(case.pairs for case in result.cases):
        said.insert(0, "nothing could be compared")
    if result.quick:
        said.append("a quick screen: nothing was confirmed")
    return [*said, *cautions(result.environment)]


def cautions(environment: Environment) -> list[str]:
    """Give what made the machine a bad one for measuring."""
    said = []
    if not environment.pinned:
        said.append("not pinned to a CPU, so margins are wider")
    if environment.steal > _MUCH_STEAL:
        said.append(f"other guests had {percent(environment.steal)} of the time")
    return said


def name_of(side: Side) -> str:
    """Give a side as people know it: "main (1a2b3c4d)"."""
    commit = side.commit[:8]
    known = side.name if side.name.startswith(commit) else f"{side.name} ({commit})"
    return f"{known}, with uncommitted changes" if side.dirty else known


def brief(error: str) -> str:
    """Give the start and the end of an error; a page, and the JSON, have all of it."""
    return shortened(error, _MOST_OF_ERROR)


def base_ns(case: CaseResult) -> float | None:
    """Give the time, or memory, of base: the geometric mean, whose ratio is that of the pairs."""
    return _mean([pair.base_ns for pair in case.pairs])


def head_ns(case: CaseResult) -> float | None:
    """Give that of head."""
    return _mean([pair.head_ns for pair in case.pairs])


def grouped(cases: Iterable[Measured]) -> dict[str, list[Measured]]:
    """Give cases by their group, groups in the order in which they come."""
    groups: dict[str, list[Measured]] = {}
    for case in cases:
        groups.setdefault(case.group, []).append(case)
    return groups


def facts(environment: Environment) -> list[tuple[str, str]]:
    """Give the machine and its state, as names and values."""
    return [
        ("CPU", f"{environment.cpu}, {environment.cpus} of them"),
        ("Kernel", environment.kernel),
        ("Python", environment.python),
        ("Started", environment.started),
        ("Took", f"{environment.seconds:.0f} s"),
        ("Load average", f"{environment.load:.1f}"),
        ("Steal", percent(environment.steal)),
        ("Pinned", "yes" if environment.pinned else "no"),
    ]


def _control(result: Comparison) -> str:
    if not result.control:
        return "no A/A control"
    spreads = [case.pair_sd for case in result.control if case.pair_sd is not None]
    spread = f", pair SD {percent(max(spreads))}" if spreads else ""
    is_off = any(case.verdict is Verdict.INVALID for case in result.control)
    return f"A/A control {'off' if is_off else 'ok'}{spread}"


def _size(case: CaseResult) -> float:
    return abs(math.log(case.ratio.value)) if case.ratio else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return statistics.geometric_mean(values) if values else None
