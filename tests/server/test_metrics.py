"""What `edge serve` shows of all its workers together."""

import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.metrics import scrape
from tests.support.ports import free_port
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

UNKNOWN = 'edge_http_requests_total{route="unmatched",status="404"}'
ASKED = 'edge_decisions_total{point="forward",outcome="allowed",reason=""}'
RULES = '[[access.rules]]\nname = "open"\npublic = true\n'


class Metered(EdgeServer):
    """A server of two workers with a listener for metrics."""

    def __init__(self, folder: Path) -> None:
        self.metrics_port = free_port()
        (folder / "edge.toml").write_text(RULES)
        environment = {
            **TEST_ENVIRONMENT,
            "EDGE_SERVER_WORKERS": "2",
            "EDGE_METRICS_BIND": f"127.0.0.1:{self.metrics_port}",
        }
        super().__init__(environment, folder)

    def metrics(self) -> Mapping[str, float]:
        return scrape(self.metrics_port)

    def replace_workers(self) -> None:
        old = self.workers()
        self.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: not old & self.workers(), timeout_s=30)
        self.wait_until(lambda: self.is_ready() and self.metrics()["edge_workers"] == 2)

    def ask(self, count: int) -> None:
        """Ask for a path that is not there, each time on a new connection: any worker answers."""
        for _ in range(count):
            assert httpx.get(f"{self.url}/nowhere").status_code == 404


def test_counts_are_exact_over_all_workers(tmp_path: Path) -> None:
    """Whoever answers, each request and each decision is counted once; gauges are of both."""
    fields = {"X-Original-Method": "GET", "X-Original-URL": "http://shop.test/orders"}
    with Metered(tmp_path) as server:
        server.ask(60)
        for _ in range(30):
            answer = httpx.get(f"{server.url}/forward/nginx", headers=fields)
            assert answer.status_code == 200
        server.wait_until(lambda: server.metrics()["edge_workers"] == 2)
        values = server.metrics()
        assert values[UNKNOWN] == 60
        assert values[ASKED] == 30
        assert values['edge_http_requests_total{route="/forward/nginx",status="200"}'] == 30
        assert values["edge_sql_connections_most"] == 2 * 5  # SQLite has five each
        assert values["edge_worker_silence_seconds"] < 5


def test_a_killed_worker_loses_no_count(tmp_path: Path) -> None:
    """What it had counted stays, whoever follows counts on, and no number ever becomes less."""
    with Metered(tmp_path) as server:
        server.ask(40)
        before = server.metrics()
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
            _grows(before, server.metrics())
        server.wait_until(lambda: server.is_ready() and server.metrics()["edge_workers"] == 2)
        between = server.metrics()
        assert between[UNKNOWN] == 40
        _grows(before, between)
        server.ask(40)
        after = server.metrics()
        assert after[UNKNOWN] == 80
        _grows(between, after)


def test_replaced_workers_count_on(tmp_path: Path) -> None:
    """Also where both are there at a time, and whichever region the new one was given."""
    with Metered(tmp_path) as server:
        for rounds in (1, 2):
            server.ask(10)
            server.replace_workers()
            assert server.metrics()[UNKNOWN] == 10 * rounds


def _grows(before: Mapping[str, float], after: Mapping[str, float]) -> None:
    gone = {
        name: (value, after.get(name))
        for name, value in before.items()
        if name.partition("{")[0].endswith(("_total", "_count", "_sum", "_bucket"))
        and after.get(name, 0) < value
    }
    assert gone == {}


def test_the_listener_shows_metrics_and_nothing_else(tmp_path: Path) -> None:
    """The port of the service does not show them to everybody; this one has no other page."""
    with Metered(tmp_path) as server:
        other = f"http://127.0.0.1:{server.metrics_port}"
        assert httpx.get(f"{other}/").status_code == 404
        assert httpx.get(f"{other}/livez").status_code == 404
        assert httpx.post(f"{other}/metrics").status_code == 501
        assert httpx.get(f"{server.url}/metrics").status_code == 401
        with socket.create_connection(("127.0.0.1", server.metrics_port)):  # says nothing
            assert server.metrics()


def test_a_port_for_metrics_that_is_taken_is_an_error(tmp_path: Path) -> None:
    """Edge does not start without what watches it, and says why."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        server = EdgeServer({**TEST_ENVIRONMENT, "EDGE_METRICS_BIND": bind}, tmp_path)
        with pytest.raises(RuntimeError, match=f"EDGE_METRICS_BIND: {bind} cannot be listened on"):
            server.start()
