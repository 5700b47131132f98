"""Whether both sides can run a case at all, and how many operations a batch of it has."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Final

from benchmarks.case import Kind
from benchmarks.harness.lockstep import ready
from benchmarks.harness.plan import Plan, calibrate
from benchmarks.harness.process import CaseError, Worker
from benchmarks.harness.protocol import Described


class NewCaseError(Exception):
    """Head can run a case, and base lacks what it needs."""


# What the benchmarks of head meet in an older product that lacks something.
_LACKING: Final = (
    "NoSuchCaseError",
    "ImportError",
    "ModuleNotFoundError",
    "AttributeError",
    "TypeError",
)


class Admission:
    """Finds it out when a case is first met; later the numbers stay as they are.

    Base alone is asked how many operations fit into a batch: head gets the same, slower or not.
    """

    def __init__(self, plans: Mapping[Kind, Plan], known_to_base: Collection[str]) -> None:
        self._plans = plans
        self._known_to_base = known_to_base
        self._operations: dict[str, int] = {}

    def operations(self, case: Described, base: Worker, head: Worker) -> int:
        """Give the operations of a batch.

        Raises:
            CaseError: one side cannot run the case, or its result is wrong.
            NewCaseError: base lacks what it needs, or it did not have the case itself.
        """
        if case.id not in self._operations:
            plan = self._plans[case.kind]
            with ready([head], case.id):
                head.run(case.id, plan.first)
            try:
                with ready([base], case.id):
                    self._operations[case.id] = calibrate(partial(base.run, case.id), plan)
            except CaseError as error:
                if case.id in self._known_to_base and error.kind not in _LACKING:
                    raise
                raise NewCaseError(str(error)) from error
        return self._operations[case.id]

    def known(self, case: Described) -> int:
        """Give the operations of a batch of a case that was admitted."""
        return self._operations[case.id]
