"""All that is known of a run, gathered from locust and the ledgers of all processes."""

from typing import Any, Final

from locust.runners import MasterRunner
from locust.stats import RequestStats

from loadtests.capacity import Capacity, capacity_of
from loadtests.drift import latency_drift, process_drift
from loadtests.faults import recoveries
from loadtests.histogram import merged
from loadtests.ledger import Ledger
from loadtests.limits import check_admitted
from loadtests.session import Session
from loadtests.verdict import Measured, Run

# Workers report every three seconds; who was silent for two of those is not there.
_SILENT_S: Final = 6.0


def run_of(session: Session) -> Run:
    ledger, stats = session.whole_ledger, session.environment.stats
    is_master = isinstance(session.environment.runner, MasterRunner)
    capacity = _capacity(session, ledger)
    return Run(
        scenario=session.scenario,
        profile=session.profile,
        planned_s=None if session.is_saturated else session.planned_s,
        elapsed_s=session.elapsed_s,
        workers_expected=session.processes if is_master else 1,
        workers_present=_present(session) if is_master else 1,
        ledger=ledger,
        measured=_measured(stats),
        **_of_generator(session, ledger, capacity),
        problems=(*session.problems, *_problems(session, ledger, capacity)),
        drifts=_drifts(session, ledger),
        recoveries=recoveries(session.happened, stats.total.num_fail_per_sec),
        capacity=capacity,
    )


def _present(session: Session) -> int:
    """Count the workers that reported lately, and that the master had not given up at the end."""
    end_s = session.began_s + session.elapsed_s
    heard = sum(at_s > end_s - _SILENT_S for at_s in session.heard_at_s.values())
    return heard if session.workers_at_stop is None else min(heard, session.workers_at_stop)


def _problems(session: Session, ledger: Ledger, capacity: Capacity | None) -> list[str]:
    options = session.options
    problems = check_admitted(ledger, options.limit, options.limit_window_s)
    problems += [f"{one.name}: {one.error}" for one in session.happened if one.error]
    problems += _exceptions(session)
    if session.scenario == "chaos" and not session.happened:
        problems.append("nothing was broken; see LOADTEST_FAULTS")
    if capacity and capacity.is_generators_fault:
        problems.append(capacity.note)
    if session.slots and session.planned_s and session.counted_s <= 0:
        problems.append(
            f"parts of {session.slot_s:.3g} s leave nothing to count after --settle-s"
            f" {session.options.settle_s:.3g}: fewer steps, or more time"
        )
    return problems


def _exceptions(session: Session) -> list[str]:
    """Give what went wrong in users, of all workers: what they did not do is in no count."""
    runner = session.environment.runner
    found = runner.exceptions.values() if runner else ()
    return [f"{one['count']} exceptions in the generator: {one['msg']}" for one in found]


def _capacity(session: Session, ledger: Ledger) -> Capacity | None:
    if session.shape != "step" or not ledger.slots:
        return None
    return capacity_of(ledger.slots, session.counted_s)


def _of_generator(session: Session, ledger: Ledger, capacity: Capacity | None) -> dict[str, Any]:
    """Give how the generator was, until Edge was overloaded on purpose."""
    if capacity is None or capacity.knee is None:
        return {"lag": ledger.lag, "cpu": ledger.cpu}
    steps = capacity.knee + 1
    lag = merged(ledger.slots[number].lag for number in sorted(ledger.slots)[:steps])
    return {"lag": lag, "cpu": ledger.cpu[: int(steps * session.slot_s)]}


def _drifts(session: Session, ledger: Ledger) -> dict[str, float]:
    if session.shape != "soak" or session.planned_s is None:
        return {}
    return {**latency_drift(ledger.slots), **process_drift(session.samples, session.planned_s)}


def _measured(stats: RequestStats) -> dict[str, Measured]:
    """Give what locust has of each name, all methods together."""
    found: dict[str, Measured] = {}
    for (name, _), entry in stats.entries.items():
        before = found.get(name, Measured(0, 0, {}))
        found[name] = Measured(
            before.requests + entry.num_requests,
            before.failures + entry.num_failures,
            merged([before.latency, entry.response_times]),
        )
    return found
