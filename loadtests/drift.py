"""Whether something grew over a run: its last third is held against the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import psutil

from loadtests.histogram import percentile
from loadtests.ledger import Slot

THIRDS: Final = 3
_MIDDLE, _LAST = 1, 2  # in the first one caches fill


@dataclass(frozen=True)
class Sample:
    """What some processes and their children had at a moment: bytes of memory, open files."""

    at_s: float
    memory_bytes: int
    files: int


def look(pids: Sequence[int], at_s: float) -> Sample:
    """Look at processes of this machine; those that have ended have nothing."""
    memory = files = 0
    for pid in pids:
        try:
            parent = psutil.Process(pid)
            family = [parent, *parent.children(recursive=True)]
            memory += sum(one.memory_info().rss for one in family)
            files += sum(one.num_fds() for one in family)
        except psutil.Error:
            continue
    return Sample(at_s, memory, files)


def latency_drift(slots: Mapping[int, Slot]) -> dict[str, float]:
    """Give by what the latency grew; nothing where a third is missing."""
    if not {_MIDDLE, _LAST} <= set(slots):
        return {}
    middle, last = (percentile(slots[third].latency, 0.95) for third in (_MIDDLE, _LAST))
    return {"latency p95": last / middle} if middle else {}


def process_drift(samples: Sequence[Sample], run_time_s: float) -> dict[str, float]:
    """Give by what memory and open files grew."""
    thirds: dict[int, list[Sample]] = {}
    for sample in samples:
        thirds.setdefault(int(sample.at_s / run_time_s * THIRDS), []).append(sample)
    if not {_MIDDLE, _LAST} <= set(thirds):
        return {}
    found = {}
    for what in ("memory_bytes", "files"):
        middle, last = (
            median(getattr(sample, what) for sample in thirds[third]) for third in (_MIDDLE, _LAST)
        )
        if middle:
            found[what.partition("_")[0]] = last / middle
    return found
