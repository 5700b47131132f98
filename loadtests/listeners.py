"""What is hung into locust: options, three digits, ledgers of workers, the verdict at the end."""

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import gevent
import locust.stats
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtests import options
from loadtests.beside import break_things, sample_cpu, show_progress, watch_processes
from loadtests.chosen_shape import ChosenShape
from loadtests.draining import drain_all, listen_for_drain
from loadtests.facts import run_of
from loadtests.histogram import three_digits
from loadtests.ledger import Ledger
from loadtests.preflight import problems_of
from loadtests.reports import write
from loadtests.session import Session, open_session
from loadtests.terms import Terms, TermsError, read_terms, refuse
from loadtests.verdict import Outcome, judge
from loadtests.web import add_verdict

_REPORT_KEY: Final = "loadtest"


def on_init(environment: Environment, **_: object) -> None:
    scenario = Path(environment.locustfile or "").stem
    session = Session(environment, scenario, _terms(environment, scenario))
    open_session(session)
    session.plan()
    _listen(session)
    gevent.spawn(sample_cpu, session)
    if environment.web_ui:
        add_verdict(environment.web_ui, session)
    if session.shape != "constant" and not isinstance(environment.runner, WorkerRunner):
        environment.shape_class = ChosenShape(session)
    try:
        _begin(session)
    except (OSError, ValueError) as error:
        refuse(error)
    except KeyboardInterrupt:
        print("Ended before anything was asked.", file=sys.stderr)
        sys.exit(int(Outcome.INVALID))


def _listen(session: Session) -> None:
    happens = session.environment.events
    happens.test_start.add_listener(partial(on_test_start, session))
    happens.test_stopping.add_listener(partial(on_test_stopping, session))
    happens.report_to_master.add_listener(partial(on_report_to_master, session))
    happens.worker_report.add_listener(partial(on_worker_report, session))
    happens.quitting.add_listener(partial(on_quitting, session))
    listen_for_drain(session)


def _terms(environment: Environment, scenario: str) -> Terms:
    chosen = environment.parsed_options
    if chosen is None or not chosen.profile:
        return Terms()
    try:
        return read_terms(Path(chosen.slo), chosen.profile, scenario)
    except TermsError as error:
        refuse(error)


def _begin(session: Session) -> None:
    """Look first whether anything can come of it, and make what users need."""
    runner = session.environment.runner
    if session.options.issuer_key and not isinstance(runner, WorkerRunner):
        session.problems = problems_of(session.url, session.tokens.mint().good().text)
        if session.problems and session.options.headless:
            sys.exit(_judge(session))
    if isinstance(runner, MasterRunner):
        return
    for user in session.environment.user_classes:
        user.prepare(session)  # type: ignore[attr-defined]  # all users here are EdgeUsers
    session.ready.set()


def _judge(session: Session) -> int:
    """Judge and write; gives the exit code."""
    run = run_of(session)
    verdict = judge(run, session.terms)
    write(session, run, verdict)
    return int(verdict.outcome)


def on_test_start(session: Session, **_: object) -> None:
    if isinstance(session.environment.runner, WorkerRunner):
        session.restart()
    else:
        session.plan()  # the web page may have changed it
        session.restart()
        gevent.spawn(watch_processes, session)
        gevent.spawn(break_things, session)
        if session.options.headless:
            gevent.spawn(show_progress, session)


def on_test_stopping(session: Session, **_: object) -> None:
    """Wait for what is in flight: the slowest answers would else be missing, not slow."""
    session.stopped_s = time.perf_counter()
    if isinstance(session.environment.runner, MasterRunner):
        session.workers_at_stop = session.environment.runner.worker_count
    drain_all(session)


def on_report_to_master(session: Session, data: dict[str, Any], **_: object) -> None:
    data[_REPORT_KEY] = session.ledger.as_report()


def on_worker_report(session: Session, client_id: str, data: dict[str, Any]) -> None:
    session.of_workers[client_id] = Ledger.from_report(data[_REPORT_KEY])
    session.heard_at_s[client_id] = time.perf_counter()


def on_quitting(session: Session, **_: object) -> None:
    """Judge, where the whole run is known."""
    if not isinstance(session.environment.runner, WorkerRunner):
        # Always set: locust would say 1 for one failed request, and 0 for a run that was ended.
        session.environment.process_exit_code = _judge(session)


# In every process, since workers round before they report.
locust.stats.bucket_response_time = three_digits  # type: ignore[assignment]
events.init_command_line_parser.add_listener(options.add_options)
events.init.add_listener(on_init)
