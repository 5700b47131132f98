"""Base against head: pairs of processes for the screen, fresh ones for what must be confirmed."""

from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Final

import msgspec

from benchmarks.case import MARGINS, Kind, Margin
from benchmarks.harness.admission import Admission, NewCaseError
from benchmarks.harness.control import Control, sentinels
from benchmarks.harness.lockstep import draws, pair_up, ready
from benchmarks.harness.machine import Cpus
from benchmarks.harness.outcome import compared, estimated, without_pairs
from benchmarks.harness.plan import PLANS, Plan
from benchmarks.harness.process import CaseError, Tree
from benchmarks.harness.progress import Progress
from benchmarks.harness.protocol import Described
from benchmarks.harness.team import Team, team
from benchmarks.results import CaseResult, Pair, Verdict
from benchmarks.statistics import SCREEN_PAIRS, confirming_pairs, needs_confirmation

# Not pinned, pairs scatter many times as much (docs/benchmarks.md); a gate must not guess.
_WIDER_NOT_PINNED: Final = 3.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a comparison is done."""

    screen_pairs: int = SCREEN_PAIRS
    confirm_pairs: int | None = None  # None: as many as the scatter asks for
    has_confirmation: bool = True
    allowed: float | None = None  # in the place of what the kind of a case says
    target: float | None = None
    slower: Mapping[str, float] = {}
    plans: Mapping[Kind, Plan] = msgspec.field(default_factory=lambda: PLANS)

    def margin(self, kind: Kind, wider: float) -> Margin:
        """Give the margin of a case."""
        usual = MARGINS[kind]
        allowed = usual.allowed if self.allowed is None else self.allowed
        target = usual.target if self.target is None else self.target
        return Margin(allowed * wider, target * wider)


class Contest:
    """Base and head, and base beside base as the control."""

    def __init__(
        self,
        base: Tree,
        head: Tree,
        registry: Sequence[Described],
        *,
        known_to_base: Collection[str],
        settings: Settings,
        cpus: Cpus,
        progress: Progress,
    ) -> None:
        self._trees = (base, head)
        self._registry = registry
        self._settings = settings
        self._wider = 1.0 if cpus.can_pin else _WIDER_NOT_PINNED
        self._draws = draws(cpus, Random())
        self._progress = progress
        self._admission = Admission(settings.plans, known_to_base)
        self._ended: dict[str, CaseResult] = {}

    def compare(self, cases: Sequence[Described]) -> tuple[list[CaseResult], Control]:
        """Give what is found of each case, in their order, and the control.

        Raises:
            StartError: a side cannot be measured at all.
        """
        candidates = sentinels(cases, self._registry)
        base, _ = self._trees
        control = Control(base, candidates, self._admission, self._settings.plans, self._wider)
        wanted = {case.id: self._settings.screen_pairs for case in cases}
        screened = self._measure(cases, wanted, control)
        wanted = {case.id: self._confirming(case, screened[case.id]) for case in cases}
        confirmed = self._measure(cases, wanted, control)
        results = [
            self._ended.get(case.id) or self._result(case, screened[case.id], confirmed[case.id])
            for case in cases
        ]
        return results, control

    def _confirming(self, case: Described, pairs: Sequence[Pair]) -> int:
        """Give how many fresh pairs must decide on a case: mostly none."""
        if case.id in self._ended or not self._settings.has_confirmation:
            return 0
        found = estimated(pairs)
        if not needs_confirmation(found, self._margin(case)):
            return 0
        return self._settings.confirm_pairs or confirming_pairs(found)

    def _measure(
        self, cases: Sequence[Described], wanted: Mapping[str, int], control: Control
    ) -> dict[str, list[Pair]]:
        """Measure as many pairs of each case as are wanted, each round in new processes."""
        pairs: dict[str, list[Pair]] = {case.id: [] for case in cases}
        self._progress.expect(sum(wanted.values()))
        for number in range(max(wanted.values())):
            due = [case for case in cases if wanted[case.id] > number]
            draw = next(self._draws)
            # What else a process did matters to a case; so their order is drawn too.
            Random(draw.seed).shuffle(due)
            with team(self._trees, draw, self._settings.slower) as hired:
                for case in due:
                    self._progress.step(f"{case.id}, pair {number + 1} of {wanted[case.id]}")
                    self._add_pair(hired, case, pairs[case.id])
            control.measure(draw)
        return pairs

    def _add_pair(self, hired: Team, case: Described, pairs: list[Pair]) -> None:
        if case.id in self._ended:
            return
        try:
            pairs.append(self._pair(hired, case))
        except NewCaseError as error:
            self._end(hired, without_pairs(case, Verdict.NEW, str(error)))
        except CaseError as error:
            self._progress.say(f"{case.id} failed: {error}\n{error.trace}".rstrip())
            self._end(hired, without_pairs(case, Verdict.FAILED, str(error)))

    def _pair(self, hired: Team, case: Described) -> Pair:
        base, head = hired.workers
        n = self._admission.operations(case, base, head)
        with ready([base, head], case.id):
            plan = self._settings.plans[case.kind]
            return pair_up(base, head, case.id, n, plan, hired.draw)

    def _end(self, hired: Team, result: CaseResult) -> None:
        self._ended[result.id] = result
        hired.dismiss()

    def _result(self, case: Described, screened: list[Pair], confirmed: list[Pair]) -> CaseResult:
        n, margin = self._admission.known(case), self._margin(case)
        if confirmed:
            return compared(case, confirmed, n, margin, "confirm")
        return compared(case, screened, n, margin, "screen")

    def _margin(self, case: Described) -> Margin:
        return self._settings.margin(case.kind, self._wider)
