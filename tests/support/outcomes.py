"""What is asked in an experiment, what came of it, and the line that says so.

Each request says beforehand what must come of it, so that what should have been refused is told
from what should have been served.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

_SERVED: Final = frozenset({200, 201, 204})
_UNAVAILABLE: Final = 503


class Ask(msgspec.Struct, frozen=True):
    """A request, and the only status that is right for it.

    Its answer must hold the text `holds`: that of somebody else is as bad as being let in.
    """

    path: str
    status: int
    fields: Mapping[str, str] = {}
    method: str = "GET"
    body: Mapping[str, object] | None = None
    holds: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What came of one request, `at_s` after the load began; 0 is no answer at all."""

    ask: Ask
    status: int
    at_s: float
    took_s: float
    has_retry_after: bool = False
    is_crossed: bool = False

    @property
    def is_unsafe(self) -> bool:
        """Whether it was let through and should not have been, or got what is somebody else's."""
        is_served = self.status in _SERVED
        return is_served and (self.is_crossed or self.ask.status not in _SERVED)

    @property
    def is_delayed(self) -> bool:
        """Whether its client was told to come back later."""
        is_told = self.status == _UNAVAILABLE and self.has_retry_after
        return is_told and self.ask.status != _UNAVAILABLE

    @property
    def is_lost(self) -> bool:
        """Whether its client got nothing it could go on with."""
        return self.status != self.ask.status and not self.is_delayed and not self.is_unsafe


class Report(msgspec.Struct, frozen=True):
    """All outcomes of an experiment whose fault lasted from `fault_at_s` to `ended_at_s`.

    `seen_s` says from when until when an operator could see it; all since the load began.
    """

    name: str
    outcomes: Sequence[Outcome]
    fault_at_s: float
    ended_at_s: float
    seen_s: tuple[float, float] | None = None

    @property
    def lost(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.is_lost]

    @property
    def unsafe(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.is_unsafe]

    @property
    def delayed(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.is_delayed]

    @property
    def detected_s(self) -> float | None:
        """How long after the fault began somebody noticed, a client or an operator."""
        first = [one.at_s for one in (*self.lost, *self.delayed)]
        first += [self.seen_s[0]] if self.seen_s else []
        return max(min(first) - self.fault_at_s, 0.0) if first else None

    @property
    def recovered_s(self) -> float:
        """How long after the fault was over nobody was hurt any more, and nothing to be seen."""
        last = [one.at_s for one in (*self.lost, *self.delayed)]
        last += [self.seen_s[1]] if self.seen_s else []
        return max(max(last, default=0.0) - self.ended_at_s, 0.0)

    def after_fault(self, path: str = "") -> list[Outcome]:
        """Give what was asked since the fault began, of one path if it is named."""
        since = [one for one in self.outcomes if one.at_s >= self.fault_at_s]
        return [one for one in since if path in ("", one.ask.path)]

    def line(self) -> str:
        """Give what `make faults` prints."""
        statuses = Counter(one.status for one in self.lost)
        which = f" {dict(statuses)}" if statuses else ""
        noticed = self.detected_s
        detected = "noticed by nobody" if noticed is None else f"detected after {noticed:.2f} s"
        return (
            f"{self.name}: {len(self.outcomes)} asked, {len(self.lost)} lost{which},"
            f" {len(self.delayed)} told to wait, {len(self.unsafe)} unsafe accepts,"
            f" {detected}, recovered after {self.recovered_s:.2f} s,"
            f" p99 {percentile(self.outcomes, 0.99):.2f} s,"
            f" slowest {percentile(self.outcomes, 1):.2f} s"
        )

    def assert_nothing_is_lost(self) -> None:
        self.assert_nobody_got_in()
        assert not self.lost, self.line()

    def assert_all_are_served(self) -> None:
        """Nobody was even told to wait, by Edge or by the balancer for want of one."""
        self.assert_nothing_is_lost()
        assert not self.delayed, (self.line(), self.delayed[:5])

    def assert_nobody_got_in(self) -> None:
        assert not self.unsafe, (self.line(), self.unsafe[:5])


def percentile(outcomes: Sequence[Outcome], share: float) -> float:
    """Give the time within which this share of them was answered; 0 of none."""
    times = sorted(one.took_s for one in outcomes)
    return times[min(int(len(times) * share), len(times) - 1)] if times else 0.0
