"""Each scenario, for seconds and slowly, on a real Edge: it asks as it says, and Edge is right."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loadtests.__main__ import SCENARIOS
from tests.loadtests.conftest import LIMIT
from tests.support.balancers import KINDS, running_balancer
from tests.support.echo import echo
from tests.support.load_runs import Generator, LoadRun
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

# Users, and what else each is told; each runs for three seconds.
SMOKE: Mapping[str, tuple[str, ...]] = {
    "steady_verify": ("-u", "3", "--rate-scale", "2"),
    "rbac_mix": ("-u", "3", "--rate-scale", "2"),
    "login_storm": ("-u", "20", "--accounts", "3"),
    "refresh_rotation": ("-u", "8", "--mischief", "0.4", "--accounts", "3"),
    "limit_abuse": ("-u", "3", "--limit", str(LIMIT)),
    "forward_auth": (
        "-u",
        "3",
    ),
    "mixed": ("-u", "16", "--accounts", "3"),
    "soak": ("-u", "16", "--shape", "soak", "--settle-s", "0", "--accounts", "3"),
    "chaos": ("-u", "6", "--fault-every-s", "1"),
}
_AT_A_TIME = 5

# How often each was asked for, at the least: on machines that are busy, too.
ROWS: Mapping[str, Mapping[str, int]] = {
    "steady_verify": {"floor": 1, "verify": 50},
    "rbac_mix": {"rbac": 50},
    "login_storm": {"verify": 50, "login": 1},
    "refresh_rotation": {"refresh": 10, "verify ended": 1},
    "limit_abuse": {"abuse": 100, "abuse [429]": 1, "innocent": 10},
    "forward_auth": {"direct": 10, "nginx": 10},
    "mixed": {"verify": 10, "rbac": 10, "direct": 10, "refresh": 1},
    "soak": {"verify": 10, "refresh": 1},
    "chaos": {"verify": 10, "rbac": 10},
}


@pytest.fixture(scope="module")
def nginx(edge: EdgeServer) -> Iterator[str]:
    """A real one, with its file of `deploy/`, that asks this Edge."""
    ports = (edge.port, edge.port)
    with (
        echo() as service,
        running_balancer(KINDS["nginx"], "forward-auth", ports, service.port) as balancer,
    ):
        yield f"http://127.0.0.1:{balancer.port}"


def smoke(scenario: str, edge: EdgeServer, nginx: str, generator: Generator) -> LoadRun:
    options = ("-r", "50", "-t", "3s", "--watch-pids", str(edge.pid), *SMOKE[scenario])
    given = {
        "LOADTEST_ADMIN": "admin",
        "LOADTEST_ADMIN_PASSWORD_FILE": str(edge.folder / ".edge/demo/admin"),
        "LOADTEST_FAULTS": f"nothing much=test -d {edge.folder}",
        "LOADTEST_NGINX_URL": nginx,
    }
    return generator.run(scenario, edge.url, *options, environ=given)


def test_edge_is_right_in_each_scenario(edge: EdgeServer, nginx: str, generator: Generator) -> None:
    """Nothing was wrong, nothing failed, and what it is about was asked for.

    All in one test, some at a time: most of the time of each is spent waiting.
    """
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        runs = pool.map(lambda name: smoke(name, edge, nginx, generator), SCENARIOS)
        found = dict(zip(SCENARIOS, runs, strict=True))
    assert {name: wrongs for name, run in found.items() if (wrongs := wrongs_of(run, name))} == {}


def wrongs_of(run: LoadRun, scenario: str) -> list[str]:
    """Say what is not as it should be."""
    if run.code:
        return [run.output]
    rows = run.verdict["rows"]
    asked = {name: rows.get(name, {"requests": 0})["requests"] for name in ROWS[scenario]}
    wrongs = [
        f"{name}: {asked[name]} of {least}"
        for name, least in ROWS[scenario].items()
        if asked[name] < least
    ]
    wrongs += [f"{name}: {row}" for name, row in rows.items() if row["failures"]]
    checks = run.verdict["checks"]
    return wrongs + [name for name, check in checks.items() if not check["held"]]


def test_every_scenario_has_a_smoke_run() -> None:
    """A new one too."""
    assert set(SMOKE) == set(ROWS) == set(SCENARIOS)


def test_all_reports_are_there(edge: EdgeServer, generator: Generator) -> None:
    """The verdict beside what locust writes itself; a run of steps has its picture too."""
    locust = generator.folder / "locust"
    run = generator.run(
        *("steady_verify", edge.url, "-u", "5", "-r", "5", "-t", "4s"),
        *("--shape", "step", "--steps", "4", "--settle-s", "0.2"),
        *("--html", f"{locust}.html", "--csv", str(locust), "--json-file", str(locust)),
    )
    assert run.code == 0, run.output
    assert "| ok | validity: workers" in (run.folder / "verdict.md").read_text()
    assert len(run.verdict["capacity"]["steps"]) == 4
    offered = [step["offered"] for step in run.verdict["capacity"]["steps"]]
    assert offered[0] < offered[3]
    assert "<svg" in (run.folder / "capacity.svg").read_text()
    assert Path(f"{locust}.html").stat().st_size > 100_000
    assert Path(f"{locust}_stats.csv").exists()
    assert Path(f"{locust}.json").exists()
