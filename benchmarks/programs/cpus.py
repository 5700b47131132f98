"""Which CPU is measured, and which are for whatever stands beside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def measured() -> set[int]:
    """Give the CPU of what is measured: the first that this process may use."""
    return {min(_allowed())}


def beside() -> set[int]:
    """Give the CPUs of what must not disturb it; the same one where there is no other."""
    return set(range(os.cpu_count() or 1)) - measured() or measured()


@contextmanager
def started_on(cpus: set[int]) -> Iterator[None]:
    """Let programs that are started meanwhile run on these CPUs, where the machine allows it."""
    before = _allowed()
    _move(cpus)
    try:
        yield
    finally:
        _move(before)


def _allowed() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _move(cpus: set[int]) -> None:
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # a container that has fewer
            os.sched_setaffinity(0, cpus)
