"""Spans as a collector gets them from `edge serve`."""

import time
from pathlib import Path

import httpx
import pytest

from tests.support.app import TEST_ENVIRONMENT
from tests.support.collector import Collector, running_collector
from tests.support.ports import free_port
from tests.support.server import EdgeServer

pytestmark = pytest.mark.server

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
ASKED = {"X-Original-Method": "GET", "X-Original-URL": "http://shop.test/orders"}
RULES = '[[access.rules]]\nname = "open"\npublic = true\n'


def server_with(folder: Path, endpoint: str, **environ: str) -> EdgeServer:
    (folder / "edge.toml").write_text(RULES)
    environment = {**TEST_ENVIRONMENT, "EDGE_TRACES_ENDPOINT": endpoint, **environ}
    return EdgeServer(environment, folder)


def test_each_request_is_a_span_of_the_trace_it_came_with(tmp_path: Path) -> None:
    """By its route, with its status; what was not sent yet is sent when the server stops."""
    sampled = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    with running_collector() as collector:
        with server_with(tmp_path, collector.endpoint) as server:
            assert httpx.get(f"{server.url}/users/me", headers=sampled).status_code == 401
            asked = httpx.get(f"{server.url}/forward/nginx", headers={**ASKED, **sampled})
            httpx.get(f"{server.url}/livez", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
            httpx.request("BREW", f"{server.url}/nowhere")
        spans = {span.name: span for span in collector.spans}
        logged = server.log_text()
    me, forward, alone = spans["GET /users/me"], spans["GET /forward/nginx"], spans["HTTP"]
    assert (me.service, me.trace_id, me.parent_id, me.is_error) == ("Edge", TRACE, PARENT, False)
    assert me.attributes == {
        "http.request.method": "GET",
        "http.route": "/users/me",
        "http.response.status_code": 401,
    }
    assert asked.headers["traceparent"] == f"00-{TRACE}-{forward.span_id}-01"
    assert alone.attributes["http.request.method"] == "_OTHER"
    assert (alone.parent_id, len(alone.trace_id)) == ("", 32)
    assert not any(s.parent_id == PARENT and "livez" in s.name for s in collector.spans)
    assert f"trace_id={TRACE}" in logged


def test_a_collector_that_is_away_disturbs_nobody(tmp_path: Path) -> None:
    """Requests are answered, and the server ends in time."""
    away = f"http://127.0.0.1:{free_port()}/v1/traces"
    with server_with(tmp_path, away) as server:
        for _ in range(20):
            assert httpx.get(f"{server.url}/livez").status_code == 200
        started = time.perf_counter()
        assert server.stop() == 0
    assert time.perf_counter() - started < 15


def test_only_a_share_is_traced_where_that_is_wanted(tmp_path: Path) -> None:
    """With a ratio of 0, of requests that bring no trace none; one that is traced already is."""
    with running_collector() as collector:
        with server_with(tmp_path, collector.endpoint, EDGE_TRACES_RATIO="0") as server:
            httpx.get(f"{server.url}/livez")
            httpx.get(f"{server.url}/", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        assert names(collector) == ["GET /"]


def names(collector: Collector) -> list[str]:
    return [span.name for span in collector.spans]
