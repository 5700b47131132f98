"""How long operations of one tree take, each in turns with its floors and peers in one process."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random

import msgspec

from benchmarks.case import Kind
from benchmarks.harness.lockstep import alternate, draws
from benchmarks.harness.machine import Cpus
from benchmarks.harness.plan import Plan, calibrate, warm_up
from benchmarks.harness.process import CaseError, Tree, Worker
from benchmarks.harness.progress import Progress
from benchmarks.harness.protocol import Described
from benchmarks.harness.team import Team, team
from benchmarks.statistics import trimmed_mean


class Found(msgspec.Struct, frozen=True):
    """What each round gave: logarithms of nanoseconds an operation, and of ratios."""

    log_ns: dict[str, list[float]]
    log_times: dict[tuple[str, str], list[float]]  # by case and reference
    errors: dict[str, str]


class Survey:
    """Measures cases of a tree; one that fails is left out of what is still to do."""

    def __init__(
        self,
        tree: Tree,
        registry: Sequence[Described],
        *,
        plans: Mapping[Kind, Plan],
        cpus: Cpus,
        progress: Progress,
    ) -> None:
        self._tree = tree
        self._plans = {case.id: plans[case.kind] for case in registry}
        self._draws = draws(cpus, Random())
        self._progress = progress
        self._operations: dict[str, int] = {}
        self._found = Found({}, {}, {})

    def measure(self, cases: Sequence[Described], rounds: int) -> Found:
        """Measure each case in that many processes.

        Raises:
            StartError: the tree cannot be measured at all.
        """
        self._progress.expect(len(cases) * rounds)
        for number in range(rounds):
            draw = next(self._draws)
            due = list(cases)
            Random(draw.seed).shuffle(due)
            with team([self._tree], draw, {}) as hired:
                for case in due:
                    self._progress.step(f"{case.id}, round {number + 1} of {rounds}")
                    self._try(hired, case)
        return self._found

    def _try(self, hired: Team, case: Described) -> None:
        """Measure a case and what it is compared with, without those of it that fail."""
        errors = self._found.errors
        while case.id not in errors:
            ids = [name for name in (case.id, *case.of) if name not in errors]
            try:
                self._rotate(hired, ids)
            except _PartError as error:
                self._progress.say(f"{error.case} failed: {error}\n{error.trace}".rstrip())
                errors[error.case] = str(error)
                hired.dismiss()
            else:
                return

    def _rotate(self, hired: Team, ids: Sequence[str]) -> None:
        [worker] = hired.workers
        parts = [_Part(worker, name, self._plans[name], self._operations) for name in ids]
        for part in parts:
            part.open()
        batches = self._plans[ids[0]].batches
        took_ns = alternate([part.run for part in parts], batches, hired.draw.number)
        parts[0].close_all()
        self._note(ids, took_ns)

    def _note(self, ids: Sequence[str], took_ns: Sequence[Sequence[int]]) -> None:
        log_ns = [
            [math.log(ns / self._operations[name]) for ns in each]
            for name, each in zip(ids, took_ns, strict=True)
        ]
        for name, each in zip(ids, log_ns, strict=True):
            self._found.log_ns.setdefault(name, []).append(trimmed_mean(each))
        for reference, each in zip(ids[1:], log_ns[1:], strict=True):
            times = trimmed_mean(a - b for a, b in zip(log_ns[0], each, strict=True))
            self._found.log_times.setdefault((ids[0], reference), []).append(times)


class _PartError(Exception):
    """One of the cases in a rotation failed."""

    def __init__(self, case: str, error: CaseError) -> None:
        super().__init__(str(error))
        self.case = case
        self.trace = error.trace


class _Part:
    """One case of a rotation; the operations of its batch stay what they were at first."""

    def __init__(self, worker: Worker, case: str, plan: Plan, operations: dict[str, int]) -> None:
        self._worker = worker
        self._case = case
        self._plan = plan
        self._operations = operations

    def open(self) -> None:
        try:
            self._worker.open(self._case)
            if self._case not in self._operations:
                batch = partial(self._worker.run, self._case)
                self._operations[self._case] = calibrate(batch, self._plan)
        except CaseError as error:
            raise _PartError(self._case, error) from error

    def run(self) -> int:
        n = self._operations[self._case]
        try:
            return self._worker.run(self._case, n, warm_up(self._plan, n))
        except CaseError as error:
            raise _PartError(self._case, error) from error

    def close_all(self) -> None:
        try:
            self._worker.close_cases()
        except CaseError as error:
            raise _PartError(self._case, error) from error
