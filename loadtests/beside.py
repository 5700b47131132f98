"""What goes on beside the users: looking at processors and processes, and breaking things."""

import itertools
import time
from typing import Final

import gevent
import psutil

from loadtests.drift import look
from loadtests.faults import break_it, moments, read_faults
from loadtests.session import Session

_SAMPLE_S: Final = 1.0
_LOOK_S: Final = 2.0


def sample_cpu(session: Session) -> None:
    """Note each second how busy this process is: locust's own look comes every ten."""
    process = psutil.Process()
    process.cpu_percent()
    while True:
        gevent.sleep(_SAMPLE_S)
        session.ledger.cpu.append(process.cpu_percent() / 100)


def watch_processes(session: Session) -> None:
    """Look at the processes of Edge that were named, for as long as this test goes on."""
    while session.stopped_s is None and session.options.watch_pid:
        session.samples.append(look(session.options.watch_pid, session.elapsed_s))
        gevent.sleep(_LOOK_S)


def break_things(session: Session) -> None:
    """Let the faults of the environment happen in turns."""
    faults = read_faults()
    if not faults or session.planned_s is None:
        return
    for fault, moment_s in zip(
        itertools.cycle(faults),
        moments(session.planned_s, session.options.fault_every_s),
        strict=False,
    ):
        gevent.sleep(max(session.began_s + moment_s - time.perf_counter(), 0))
        if session.stopped_s is not None:
            return
        session.happened.append(break_it(fault))
