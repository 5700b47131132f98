"""The CPU time of a program with all of its workers and threads."""

from pathlib import Path
from typing import Final

import psutil

_PROC: Final = Path("/proc")
_NS: Final = 1_000_000_000


def cpu_time_ns(pid: int) -> int:
    """Give the CPU time that it has had so far.

    Linux counts it in nanoseconds for the scheduler; elsewhere it comes in hundredths of a second.
    """
    program = psutil.Process(pid)
    processes = [program, *program.children(recursive=True)]
    if (_PROC / "self/schedstat").exists():
        return sum(_scheduled_ns(process.pid) for process in processes)
    return sum(round(sum(process.cpu_times()[:2]) * _NS) for process in processes)


def _scheduled_ns(pid: int) -> int:
    threads = (_PROC / str(pid) / "task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads)
