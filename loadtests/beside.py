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
_PROGRESS_S: Final = 5.0


def sample_cpu(session: Session) -> None:
    """Note each second how busy this process is: locust's own look comes every ten."""
    process = psutil.Process()
    process.cpu_percent()
    while True:
        gevent.sleep(_SAMPLE_S)
        session.ledger.cpu.append(process.cpu_percent() / 100)


def watch_processes(session: Session) -> None:
    """Look at the processes of Edge that were named, for as long as this test goes on."""
    pids = [int(pid) for pid in session.options.watch_pids.split(",") if pid]
    while session.stopped_s is None and pids:
        session.samples.append(look(pids, session.elapsed_s))
        gevent.sleep(_LOOK_S)


def show_progress(session: Session) -> None:
    """Say now and then how it goes: locust's own tables take a screen each two seconds."""
    total = session.environment.stats.total
    while session.stopped_s is None:
        gevent.sleep(_PROGRESS_S)
        p95_ms = total.get_current_response_time_percentile(0.95) or 0.0
        moment = f"{session.elapsed_s:5.0f} s of {session.planned_s or 0:.0f}"
        rate, failed = f"{total.current_rps:.0f} requests/s", f"{total.num_failures} failed"
        print(f"{moment}: {rate}, p95 {p95_ms:.3g} ms, {failed}", flush=True)


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
