"""Base against base in every round: where these differ, nothing else that was measured counts.

Both in processes of their own: one that had run other cases before would be slower by 1 to 2 %.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.case import Kind
from benchmarks.harness.admission import Admission, NewCaseError
from benchmarks.harness.lockstep import Draw, pair_up, ready
from benchmarks.harness.outcome import controlled
from benchmarks.harness.plan import Plan
from benchmarks.harness.process import CaseError, Tree
from benchmarks.harness.protocol import Described
from benchmarks.harness.team import Team, team
from benchmarks.results import CaseResult, Pair, Verdict
from benchmarks.statistics import FEWEST_PAIRS

_SENTINELS: Final = 2


def sentinels(selected: Sequence[Described], registry: Sequence[Described]) -> list[Described]:
    """Order the cases by how well they serve as a control: those that need no program first."""
    others = [case for case in registry if case not in selected]
    return sorted([*selected, *others], key=lambda case: case.kind is not Kind.MICRO)


class Control:
    """The first cases of a list that base can run, measured in two processes of base."""

    def __init__(
        self,
        base: Tree,
        candidates: Sequence[Described],
        admission: Admission,
        plans: Mapping[Kind, Plan],
        wider: float,
    ) -> None:
        self._trees = (base, base)
        self._candidates = list(candidates)
        self._admission = admission
        self._plans = plans
        self._wider = wider
        self._pairs: dict[str, list[Pair]] = {}

    def measure(self, draw: Draw) -> None:
        """Measure a pair of each sentinel; one that fails gives its place to the next."""
        with team(self._trees, draw, {}) as hired:
            self._measure(hired)

    def _measure(self, hired: Team) -> None:
        measured = 0
        for case in tuple(self._candidates):
            if measured == _SENTINELS:
                return
            try:
                self._pairs.setdefault(case.id, []).append(self._pair(hired, case))
                measured += 1
            except (CaseError, NewCaseError):
                hired.dismiss()
                self._candidates.remove(case)

    def results(self) -> list[CaseResult]:
        """Give what was found of the sentinels that were measured often enough to tell."""
        return [
            controlled(case, pairs, self._admission.known(case), self._wider)
            for case in self._candidates
            if len(pairs := self._pairs.get(case.id, [])) >= FEWEST_PAIRS
        ]

    @property
    def is_off(self) -> bool:
        """Say whether base differs from itself, or nobody can tell."""
        results = self.results()
        return not results or any(result.verdict is Verdict.INVALID for result in results)

    def _pair(self, hired: Team, case: Described) -> Pair:
        base, again = hired.workers
        n = self._admission.operations(case, base, again)
        with ready([base, again], case.id):
            return pair_up(base, again, case.id, n, self._plans[case.kind], hired.draw)
