"""The machine that measures: its CPUs, how busy it is, and what a reader has to know of it."""

import os
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.results import Environment

_STAT: Final = Path("/proc/stat")
_CPU_INFO: Final = Path("/proc/cpuinfo")
# Fields of a line of /proc/stat after its name: proc(5).
_IDLE: Final = 3
_STEAL: Final = 7
# With fewer CPUs all are used in turn: what runs beside leaves little choice.
_ENOUGH_TO_CHOOSE: Final = 4
_PROBE_S: Final = 0.2


class Cpus:
    """Where a round is measured."""

    def __init__(self) -> None:
        self._usable = _usable()

    @property
    def can_pin(self) -> bool:
        """Say whether processes can be kept on a CPU here."""
        return bool(self._usable)

    def choose(self, number: int) -> int | None:
        """Give the CPU of a round: the idlest of many, or each in turn."""
        if not self._usable:
            return None
        if len(self._usable) < _ENOUGH_TO_CHOOSE:
            return self._usable[number % len(self._usable)]
        return _idlest(self._usable)


class Watch:
    """Looks at the machine at the start and at the end of a run."""

    def __init__(self) -> None:
        self._started = datetime.now(UTC)
        self._clock = time.perf_counter()
        self._ticks = _ticks("cpu")

    def environment(self, *, python: str, pinned: bool) -> Environment:
        """Give what there is to say, with what happened since the start."""
        passed = [now - then for now, then in zip(_ticks("cpu"), self._ticks, strict=True)]
        return Environment(
            cpu=_cpu_model(),
            cpus=os.cpu_count() or 1,
            kernel=f"{platform.system()} {platform.release()}",
            python=python,
            started=self._started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - self._clock, 1),
            load=round(os.getloadavg()[0], 2),
            steal=round(passed[_STEAL] / sum(passed), 4) if any(passed) else 0.0,
            pinned=pinned,
        )


def _usable() -> list[int]:
    """Give the CPUs that a process can be kept on; none where that cannot be done."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        os.sched_setaffinity(0, allowed)
    except OSError:
        return []
    return sorted(allowed)


def _idlest(cpus: Sequence[int]) -> int:
    before = {cpu: _ticks(f"cpu{cpu}")[_IDLE] for cpu in cpus}
    time.sleep(_PROBE_S)
    return max(cpus, key=lambda cpu: _ticks(f"cpu{cpu}")[_IDLE] - before[cpu])


def _ticks(name: str) -> list[int]:
    """Give the counters of one CPU, or of `cpu` for all; zeros where there are none."""
    lines = _STAT.read_text().splitlines() if _STAT.exists() else []
    for line in lines:
        first, *ticks = line.split()
        if first == name:
            return [int(tick) for tick in ticks[: _STEAL + 1]]
    return [0] * (_STEAL + 1)


def _cpu_model() -> str:
    lines = _CPU_INFO.read_text().splitlines() if _CPU_INFO.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
