"""`deploy/observability/`, held to a real Edge by a real Prometheus and its own checker."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.metrics import scrape
from tests.support.ports import free_port
from tests.support.prometheus import Prometheus, program, running_prometheus
from tests.support.redis import running_redis
from tests.support.server import EdgeServer

FOLDER = Path(__file__).parents[2] / "deploy/observability"
ALERTS = FOLDER / "alerts.yml"
TESTS = FOLDER / "alerts.test.yml"

POLICY = {"name": "few", "limit": 3, "window_s": 60, "paths": ["/few"]}
ASKED = {"X-Original-Method": "GET", "X-Original-URL": "http://shop.test/orders"}


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [program("promtool"), *map(str, arguments)],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts() -> set[str]:
    return set(re.findall(r"- alert: (\w+)", ALERTS.read_text()))


def panel_queries() -> dict[str, str]:
    """Give the queries of the dashboard by where they stand, as Grafana would ask them."""
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        .replace("$instance", ".*")
        .replace("$__rate_interval", "30s")
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    }


# The rules.


def test_promtool_finds_nothing_wrong() -> None:
    """Neither with the rules nor with the scrape."""
    promtool("check", "rules", ALERTS)
    promtool("check", "config", FOLDER / "prometheus.yml")


def test_each_alert_fires_when_it_should_and_not_when_all_is_well() -> None:
    """Every one of them has a case in which it fires, and one on a day without a fault."""
    promtool("test", "rules", TESTS)
    cases, quiet = TESTS.read_text().split("name: all is well")
    assert set(re.findall(r"alertname: (\w+)\n", cases)) == alerts()
    assert set(re.findall(r"alertname: (\w+)}", quiet)) == alerts()


def test_the_readme_says_what_to_do_about_each_alert() -> None:
    """Whoever is woken finds it in the table."""
    rows = re.findall(r"^\| `(Edge\w+)` \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(alerts())


# The dashboard.


def test_the_dashboard_has_the_form_that_grafana_imports() -> None:
    """Panels have ids of their own and do not lie on each other; the source can be chosen."""
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [cell for panel in panels for cell in cells_of(panel["gridPos"])]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
    sources = {target["datasource"]["uid"] for p in panels for target in p.get("targets", [])}
    assert sources == {"${datasource}"}
    assert {one["name"] for one in dashboard["templating"]["list"]} == {"datasource", "instance"}


def cells_of(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y


# Both, on a real Edge.


class Watched(EdgeServer):
    """A server of two workers with Redis, forward-auth, a limit, and a listener for metrics."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.metrics_port = free_port()
        environment = {
            **TEST_ENVIRONMENT,
            "EDGE_SERVER_WORKERS": "2",
            "EDGE_REDIS_URL": redis_url,
            "EDGE_RATELIMIT_BUDGET_S": "1",
            "EDGE_RATELIMIT_POLICIES": json.dumps([POLICY]),
            "EDGE_ACCESS_RULES": json.dumps([{"name": "open", "public": True}]),
            "EDGE_METRICS_BIND": f"127.0.0.1:{self.metrics_port}",
        }
        super().__init__(environment, folder, start_timeout_s=60)

    def meet(self) -> None:
        """Ask for something of each kind: what is allowed, refused, limited, unknown, too early."""
        with httpx.Client(base_url=self.url) as http:
            for _ in range(5):
                http.get("/few")
                http.get("/users/me", headers={"Authorization": "Bearer rubbish"})
                http.get("/forward/nginx", headers=ASKED)
            http.post("/login", json={"username": "nobody", "password": "not this one, surely"})


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, Prometheus]]:
    folder = tmp_path_factory.mktemp("watched")
    with (
        running_redis() as redis,
        Watched(folder, redis.url) as server,
        running_prometheus(server.metrics_port, ALERTS, folder) as prometheus,
    ):
        server.wait_until(prometheus.is_ready, timeout_s=30)
        yield server, prometheus


@pytest.mark.server
def test_prometheus_takes_the_rules_and_nothing_fires_on_a_fresh_edge(
    watched: tuple[Watched, Prometheus],
) -> None:
    """All are evaluated without an error; a server that has just started wakes nobody."""
    _, prometheus = watched
    rules = prometheus.rules()
    assert {rule["name"] for rule in rules} == alerts()
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
    assert [rule["name"] for rule in rules if rule["state"] != "inactive"] == []


@pytest.mark.server
def test_dashboard_and_rules_ask_for_what_a_real_edge_shows(
    watched: tuple[Watched, Prometheus],
) -> None:
    """Each metric they name is in a scrape, and each query of a panel comes to a value."""
    server, prometheus = watched
    queries = panel_queries()
    assert len(queries) > 30
    empty = queries

    def all_are_answered() -> bool:
        nonlocal empty
        server.meet()
        empty = {place: query for place, query in empty.items() if not prometheus.query(query)}
        return not empty

    try:
        server.wait_until(all_are_answered)
    except AssertionError:
        pytest.fail(f"nothing comes of {empty}")
    shown = {name.partition("{")[0] for name in scrape(server.metrics_port)}
    named = re.findall(r"\bedge_\w+", "\n".join([*queries.values(), ALERTS.read_text()]))
    assert set(named) - shown == set()
