"""What is broken on purpose is found, and by the exit code that is meant for it."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.loadtests.conftest import LIMIT, POLICY
from tests.support.app import TEST_ENVIRONMENT
from tests.support.freezing import freezing_server
from tests.support.load_runs import PATIENT, Generator, StartedRun
from tests.support.losing import losing_server
from tests.support.ports import free_port
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

FROZEN = "tests/loadtests/frozen_locustfile.py"
P95_MS = 400
FREEZES = f"""
[ci.frozen_locustfile.open]
p95_ms = {P95_MS}
[ci.frozen_locustfile.closed]
p95_ms = {P95_MS}
"""
STRICT = "[ci]\nstart_lag_p99_ms = 250\ngenerator_cpu = 0.9\n"


@pytest.fixture(scope="module")
def lenient(generator: Generator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeServer]:
    """An Edge that lets a tenth too many through."""
    policy = {**POLICY, "limit": LIMIT * 11 // 10}
    environment = {
        **TEST_ENVIRONMENT,
        **generator.edge,
        "EDGE_PROXIES_TRUSTED": "127.0.0.1",
        "EDGE_RATELIMIT_POLICIES": json.dumps([policy]),
    }
    with EdgeServer(environment, tmp_path_factory.mktemp("lenient")) as server:
        yield server


@contextmanager
def distributed(
    generator: Generator, scenario: str, url: str, *options: str
) -> Iterator[tuple[StartedRun, list[StartedRun]]]:
    """Start a master and two workers, each a process of its own."""
    port = str(free_port())
    with ExitStack() as stack:
        here = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port)
        master = stack.enter_context(
            generator.started(
                *(scenario, url, "--master", "--headless", "--only-summary"),
                *("--expect-workers", "2", *here, *options),
            )
        )
        there = ("--worker", "--master-port", port)
        workers = [stack.enter_context(generator.started(scenario, url, *there)) for _ in range(2)]
        yield master, workers


def test_an_open_loop_sees_that_a_server_freezes_and_a_closed_one_does_not(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """At the same rate.

    The open one goes on asking, as people do, and its objective breaks. Each user of the closed one
    waits once for each freeze, and asks less meanwhile.
    """
    generator = Generator(tmp_path_factory.mktemp("frozen"), PATIENT + FREEZES)
    with freezing_server() as url, ThreadPoolExecutor() as pool:
        kinds = ("Open", "Closed", "Stalled")
        opened, closed, stalled = pool.map(
            lambda kind: generator.run(FROZEN, url, kind, "-u", "3", "-r", "3", "-t", "8s"), kinds
        )
    assert "open p95_ms" in opened.broken(), opened.output
    latency = closed.verdict["rows"]["closed"]["latency"]
    assert latency["p99_ms"] > P95_MS, "it did freeze"
    assert latency["p95_ms"] < P95_MS
    assert "closed p95_ms" not in closed.broken()
    # That the generator itself was late is not left out either.
    row = stalled.verdict["rows"]["stalled"]
    assert row["latency"]["p50_ms"] > row["service"]["p50_ms"] + 100


def test_a_limiter_that_lets_a_tenth_too_many_through_is_caught(
    lenient: EdgeServer, generator: Generator
) -> None:
    """By the sum over two workers, though neither saw as many as the limit: exit code 3."""
    options = ("Abuser", "-u", "2", "-r", "2", "-t", "4s", "--limit", str(LIMIT))
    with distributed(generator, "limit_abuse", lenient.url, *options) as (master, workers):
        run = master.ended()
        assert [worker.ended().code for worker in workers] == [0, 0]  # they do not judge
    assert run.code == 3, run.output
    law = f"limit_abuse: nobody is let through more than {LIMIT} times in 60 s"
    assert run.verdict["checks"][law]["broken"] > 0
    assert any(": 44" in example for example in run.verdict["checks"][law]["examples"])


def test_two_workers_pass_where_all_is_well(lenient: EdgeServer, generator: Generator) -> None:
    """`--processes` starts them with the master; each has latencies of three digits."""
    options = ("-u", "5", "-r", "5", "-t", "3s", "--processes", "2")
    run = generator.run("steady_verify", lenient.url, *options)
    assert run.code == 0, run.output
    assert "validity: workers" in run.output
    median_ms = run.verdict["rows"]["verify"]["latency"]["p50_ms"]
    assert median_ms != round(median_ms)


def test_a_lost_worker_makes_a_run_invalid(lenient: EdgeServer, generator: Generator) -> None:
    """Exit code 4; locust itself would go on with the others and say nothing."""
    options = ("-u", "5", "-r", "5", "-t", "7s")
    with distributed(generator, "steady_verify", lenient.url, *options) as (master, workers):
        master.wait_for("All users spawned")
        workers[0].process.kill()
        run = master.ended()
    assert run.code == 4, run.output
    assert "workers" in run.broken()


def test_a_saturated_generator_makes_a_run_invalid(
    lenient: EdgeServer, generator: Generator
) -> None:
    """Exit code 4, and never a pass, whatever the objectives say."""
    run = generator.judging_by(STRICT).run(
        *("limit_abuse", lenient.url, "Abuser", "-u", "4", "-r", "4", "-t", "3s"),
        *("--rate-scale", "20", "--limit", str(LIMIT)),
    )
    assert run.code == 4, run.output
    assert "start lag p99, ms" in run.broken()


def test_a_mistake_of_the_generator_makes_a_run_invalid(generator: Generator) -> None:
    """Exit code 4: what was never asked is in no count, and all the others were right."""
    with freezing_server() as url:
        run = generator.run(FROZEN, url, "Faulty", "-u", "2", "-r", "2", "-t", "2s")
    assert run.code == 4, run.output
    assert any("exceptions in the generator: 'a mistake" in what for what in run.broken())


def test_whose_answer_was_lost_begins_a_new_session(generator: Generator) -> None:
    """It failed, which is no wrong answer; its token may be used by then, which nobody accuses."""
    options = ("-u", "2", "-r", "2", "-t", "3s", "--accounts", "1", "--mischief", "0")
    given = {"LOADTEST_ADMIN": "admin", "LOADTEST_ADMIN_PASSWORD": "any"}
    with losing_server() as url:
        run = generator.run("refresh_rotation", url, *options, environ=given)
    assert run.code == 0, run.output
    assert run.verdict["rows"]["refresh"]["failures"] > 0
    assert run.verdict["rows"]["new session"]["requests"] > 2


def test_parts_that_leave_nothing_to_count_make_a_run_invalid(
    lenient: EdgeServer, generator: Generator
) -> None:
    """Exit code 4: a run of steps without a report of them is no success."""
    options = ("-u", "3", "-r", "3", "-t", "3s", "--shape", "step", "--steps", "3")
    run = generator.run("steady_verify", lenient.url, *options)
    assert run.code == 4, run.output
    assert "parts of 1 s leave nothing to count after --settle-s 3: fewer steps, or more time" in (
        run.broken()
    )


def test_a_run_that_is_ended_before_its_time_is_invalid(
    lenient: EdgeServer, generator: Generator
) -> None:
    """Exit code 4; locust itself says 0 on SIGTERM."""
    options = ("--headless", "-u", "3", "-r", "3", "-t", "60s")
    with generator.started("steady_verify", lenient.url, *options) as started:
        started.wait_for("All users spawned")
        started.process.send_signal(signal.SIGTERM)
        run = started.ended()
    assert run.code == 4, run.output
    assert "seconds run" in run.broken()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--profile", "nightly"), "there is no profile nightly, only ci"),
        (("--issuer-key", "/nowhere/key.pem"), "/nowhere/key.pem"),
        (("--rate-scale", "0"), "more than 0"),
        (("--steps", "0"), "more than 0"),
        (("--watch-pids", "12,edge"), "numbers with commas"),
    ],
)
def test_what_cannot_be_run_says_why(
    generator: Generator, options: tuple[str, ...], said: str
) -> None:
    """And is no verdict: the command is wrong, which is 2 and not 1."""
    run = generator.run("steady_verify", "http://127.0.0.1:9", "-t", "1s", *options)
    assert (run.code, run.verdict) == (2, {})
    assert said in run.output


def test_an_edge_that_does_not_know_the_generator_is_not_tested(
    lenient: EdgeServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Exit code 4 and at once, for its 401 to every token would be no fault of its own."""
    stranger = Generator(tmp_path_factory.mktemp("stranger"))
    run = stranger.run("steady_verify", lenient.url, "-t", "60s")
    assert run.code == 4, run.output
    assert "tokens of the generator are refused (401 signature_invalid): see EDGE_ISSUERS" in (
        run.broken()
    )
    nobody = stranger.run("steady_verify", f"http://127.0.0.1:{free_port()}", "-t", "60s")
    assert nobody.code == 4, nobody.output
    assert any("nobody answers at" in what for what in nobody.broken())


def test_the_web_page_has_the_verdict(lenient: EdgeServer, generator: Generator) -> None:
    """A tab with a row for each thing that is looked at, and the same as JSON."""
    port = free_port()
    options = ("--web-host", "127.0.0.1", "--web-port", str(port))
    with (
        generator.started("steady_verify", lenient.url, *options) as started,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as page,
    ):
        started.wait_for("Starting web interface")
        lenient.wait_until(lambda: _is_up(page))
        assert '"extended_tabs": [{"key": "verdict", "title": "Verdict"}]' in page.get("/").text
        form = {"user_count": "3", "spawn_rate": "3", "host": lenient.url}
        assert page.post("/swarm", data=form).json()["success"]
        lenient.wait_until(lambda: len(page.get("/verdict").json()["checks"]) == 2)
        [shown] = page.get("/stats/requests").json()["extended_stats"]
        verdict = page.get("/verdict").json()
    assert shown["key"] == "verdict"
    whole, *lines = shown["data"]
    assert whole["kind"] == "so far"
    assert [line["what"] for line in lines] == [line["what"] for line in verdict["lines"]]


def _is_up(page: httpx.Client) -> bool:
    try:
        return page.get("/").status_code == 200
    except httpx.TransportError:
        return False
