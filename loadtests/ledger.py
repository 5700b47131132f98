"""What a process of a load test counts beside the statistics of locust.

Workers send theirs to the master as a whole with each report, so a report that is lost does no
harm. Plain values only, since that is what locust sends.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from loadtests.histogram import Histogram, merged

_EXAMPLES: Final = 5  # enough to see what went wrong, however often it did


@dataclass
class Row:
    """One name: `arrivals` were due, `dropped` never sent; `service` is from sending to answer.

    A closed loop has no arrivals.
    """

    arrivals: int = 0
    dropped: int = 0
    answered: int = 0
    service: Histogram = field(default_factory=dict)


@dataclass
class Check:
    """A law about answers: how often it held and was broken, with some of the latter."""

    held: int = 0
    broken: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class Slot:
    """A step of a step run, without the time that it took to settle.

    `offered` arrivals were due in it, `achieved` right answers came in it.
    """

    offered: int = 0
    achieved: int = 0
    latency: Histogram = field(default_factory=dict)
    lag: Histogram = field(default_factory=dict)


@dataclass
class Ledger:
    """The counts of one process, or of several together.

    `lag` is from when a request was due until it was sent. `cpu` is the share of a core that the
    process used, each second. `admitted` has when requests of a key began and ended that were let
    through, in seconds since the epoch.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    lag: Histogram = field(default_factory=dict)
    cpu: list[float] = field(default_factory=list)
    slots: dict[int, Slot] = field(default_factory=dict)
    admitted: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def row(self, name: str) -> Row:
        return self.rows.setdefault(name, Row())

    def slot(self, number: int) -> Slot:
        return self.slots.setdefault(number, Slot())

    def check(self, name: str, wrong: str = "") -> None:
        """Count a law that held, or that was broken as `wrong` says."""
        check = self.checks.setdefault(name, Check())
        if not wrong:
            check.held += 1
            return
        check.broken += 1
        if len(check.examples) < _EXAMPLES:
            check.examples.append(wrong)

    def as_report(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_report(cls, report: dict[str, Any]) -> Self:
        return cls(
            rows={name: Row(**row) for name, row in report["rows"].items()},
            checks={name: Check(**check) for name, check in report["checks"].items()},
            lag=report["lag"],
            cpu=report["cpu"],
            slots={number: Slot(**slot) for number, slot in report["slots"].items()},
            admitted=report["admitted"],
        )


def together(ledgers: Iterable[Ledger]) -> Ledger:
    """Add up what several processes counted; of `cpu` the busiest counts, second by second."""
    total = Ledger()
    for one in ledgers:
        for name, row in one.rows.items():
            _add_row(total.row(name), row)
        for name, check in one.checks.items():
            _add_check(total.checks.setdefault(name, Check()), check)
        for number, slot in one.slots.items():
            _add_slot(total.slot(number), slot)
        for key, times in one.admitted.items():
            total.admitted[key] = [*total.admitted.get(key, []), *times]
        total.lag = merged([total.lag, one.lag])
        total.cpu = _busiest(total.cpu, one.cpu)
    return total


def _add_row(total: Row, row: Row) -> None:
    total.arrivals += row.arrivals
    total.dropped += row.dropped
    total.answered += row.answered
    total.service = merged([total.service, row.service])


def _add_check(total: Check, check: Check) -> None:
    total.held += check.held
    total.broken += check.broken
    total.examples = [*total.examples, *check.examples][:_EXAMPLES]


def _add_slot(total: Slot, slot: Slot) -> None:
    total.offered += slot.offered
    total.achieved += slot.achieved
    total.latency = merged([total.latency, slot.latency])
    total.lag = merged([total.lag, slot.lag])


def _busiest(one: list[float], other: list[float]) -> list[float]:
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    padded = [*shorter, *[0.0] * (len(longer) - len(shorter))]
    return [max(pair) for pair in zip(longer, padded, strict=True)]
