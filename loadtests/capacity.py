"""What a run of steps found: how much Edge can do, and where it stops keeping up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from loadtests.histogram import percentile
from loadtests.ledger import Slot

# A step that does not keep up: it gets less than this share of what it asks answered, or a
# twentieth of it waits ten times as long as in the first step. Beyond the knee a queue grows for
# as long as the step lasts, so both are far off there.
_KEPT_UP: Final = 0.95
_TIMES_AS_LONG: Final = 10.0
_BEHIND: Final = 3
# Where half of the waiting was done in the generator, it was the one that was slow.
_OWN_SHARE: Final = 0.5


@dataclass(frozen=True)
class Step:
    """Requests a second and milliseconds; `lag_ms` is the median start lag."""

    offered: float
    achieved: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    lag_ms: float

    @property
    def is_generators_fault(self) -> bool:
        return self.lag_ms > _OWN_SHARE * self.p50_ms


@dataclass(frozen=True)
class Capacity:
    """All steps; `knee` is the place of the last one that kept up.

    One before it may have had bad luck. None where the last of all kept up, or none did: then
    `note` says so.
    """

    steps: tuple[Step, ...]
    knee: int | None
    note: str
    is_generators_fault: bool = False

    def as_json(self) -> dict[str, Any]:
        knee = None if self.knee is None else self.steps[self.knee].achieved
        steps = [step.__dict__ for step in self.steps]
        return {"knee_per_s": knee, "note": self.note, "steps": steps}


def capacity_of(slots: Mapping[int, Slot], counted_s: float) -> Capacity:
    """Look for the knee; `counted_s` of each step were counted."""
    steps = tuple(_step(slots[number], counted_s) for number in sorted(slots))
    kept_up = [number for number, step in enumerate(steps) if _keeps_up(step, steps[0])]
    if not kept_up:
        return Capacity(steps, None, "not even the first step kept up: ask less")
    knee = kept_up[-1]
    if knee == len(steps) - 1:
        return Capacity(steps, None, "the last step kept up: ask more")
    if steps[knee + 1].is_generators_fault:
        return Capacity(steps, None, "the generator gave out first", is_generators_fault=True)
    return Capacity(steps, knee, f"the knee is at {steps[knee].achieved:.0f} a second")


def is_saturated(slots: Mapping[int, Slot], counted_s: float) -> bool:
    """Whether the last steps did not keep up: enough of them to show how it goes on."""
    steps = [_step(slots[number], counted_s) for number in sorted(slots)]
    last = steps[-_BEHIND:]
    return len(last) == _BEHIND and not any(_keeps_up(step, steps[0]) for step in last)


def _step(slot: Slot, counted_s: float) -> Step:
    return Step(
        offered=slot.offered / counted_s,
        achieved=slot.achieved / counted_s,
        p50_ms=percentile(slot.latency, 0.5),
        p95_ms=percentile(slot.latency, 0.95),
        p99_ms=percentile(slot.latency, 0.99),
        lag_ms=percentile(slot.lag, 0.5),
    )


def _keeps_up(step: Step, first: Step) -> bool:
    if step.achieved < _KEPT_UP * step.offered:
        return False
    return step.p95_ms <= _TIMES_AS_LONG * first.p95_ms


def as_markdown(capacity: Capacity) -> str:
    lines = [
        f"# Capacity: {capacity.note}",
        "",
        "| offered/s | achieved/s | p50 ms | p95 ms | p99 ms | |",
        "|---|---|---|---|---|---|",
        *(
            f"| {step.offered:.0f} | {step.achieved:.0f} | {step.p50_ms:.3g} | {step.p95_ms:.3g} |"
            f" {step.p99_ms:.3g} | {'knee' if number == capacity.knee else ''} |"
            for number, step in enumerate(capacity.steps)
        ),
    ]
    return "\n".join([*lines, ""])
