"""Counting in shared memory, and the text that is made of it."""

import os
import signal
from collections.abc import Callable

import pytest

from edge.telemetry.board import Board, Reading, Region, Series, private_region
from edge.telemetry.catalogue import METRICS, Metric
from edge.telemetry.exposition import render
from edge.telemetry.metrics import Metrics
from tests.support.metrics import values_in

REQUESTS = 'edge_http_requests_total{route="/a",status="200"}'
BY_NAME = {metric.name: metric for metric in METRICS}


def in_a_process(work: Callable[[], object]) -> None:
    """Do something in a process that is forked for it, and killed as soon as it is done."""
    child = os.fork()
    if child == 0:  # pragma: no cover  # it ends before it could say what it covered
        try:
            work()
        except BaseException:  # noqa: BLE001  # the parent must not go on twice
            os._exit(1)
        os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "what was done there failed"


def counting(board: Board, requests: int, lag_s: float = 0.0) -> Metrics:
    """Give a worker on a board that has counted so much."""
    metrics = Metrics(lambda: 100.0)
    metrics.add_gauge(BY_NAME["edge_revocation_lag_seconds"], lambda: lag_s)
    metrics.join(board)
    for _ in range(requests):
        metrics.count(BY_NAME["edge_http_requests_total"], "/a", "200").add()
    metrics.publish()
    return metrics


def shown(board: Board) -> dict[str, float]:
    return dict(values_in(render(board.read(), 103.0)))


def test_what_killed_processes_counted_is_added_up() -> None:
    """Three processes in turn use one region: each counts on where the one before was killed."""
    board = Board(1)
    for _ in range(3):
        in_a_process(lambda: counting(board, 5))
    assert shown(board)[REQUESTS] == 15


def test_processes_that_live_at_a_time_have_a_region_each() -> None:
    """And a sum; gauges are of those that live, the largest or the sum as each metric says."""
    board = Board(3)

    def two() -> None:
        counting(board, 1)
        in_a_process(lambda: counting(board, 2, lag_s=9))

    in_a_process(two)
    here = counting(board, 4, lag_s=0.5)
    values = shown(board)
    assert values[REQUESTS] == 7
    assert values["edge_revocation_lag_seconds"] == 0.5
    assert (values["edge_workers"], values["edge_worker_silence_seconds"]) == (1, 3)
    assert values_in(here.render())[REQUESTS] == 7


def test_reading_takes_no_region_from_its_owner() -> None:
    """However often somebody looks whether the owner lives, nobody else gets the region."""
    board = Board(1)
    here = counting(board, 1)
    for _ in range(3):
        here.render()
    in_a_process(lambda: counting(board, 100))  # finds no room, and counts for itself
    assert shown(board)[REQUESTS] == 1


def test_a_process_without_a_region_counts_for_itself() -> None:
    """It shows its own numbers, and those of the board stay as they are."""
    board = Board(1)
    owner = counting(board, 1)

    def look() -> None:
        alone = counting(board, 7)
        assert values_in(alone.render())[REQUESTS] == 7

    in_a_process(look)
    assert values_in(owner.render())[REQUESTS] == 1


def test_what_was_counted_before_joining_is_taken_along() -> None:
    """Once, and what holds a count goes on counting; joining again changes nothing."""
    board = Board(2)
    metrics = Metrics(lambda: 0.0)
    count = metrics.count(BY_NAME["edge_token_checks_total"])
    durations = metrics.histogram(BY_NAME["edge_http_request_duration_seconds"], "/a")
    count.add()
    durations.observe(0.01)
    metrics.join(board)
    metrics.join(board)
    count.add()
    durations.observe(5)
    values = shown(board)
    assert values["edge_token_checks_total"] == 2
    assert values['edge_http_request_duration_seconds_count{route="/a"}'] == 2
    assert values['edge_http_request_duration_seconds_sum{route="/a"}'] == 5.01


@pytest.mark.parametrize(
    ("seconds", "first"), [(0.0, "0.001"), (0.001, "0.001"), (0.002, "0.005"), (99.0, "+Inf")]
)
def test_buckets_count_up_to_their_bound(seconds: float, first: str) -> None:
    """Each bucket holds what is at most its bound, and so do all wider ones."""
    metrics = Metrics(lambda: 0.0)
    metrics.histogram(BY_NAME["edge_http_request_duration_seconds"], "/a").observe(seconds)
    buckets = {
        name.partition('le="')[2].rstrip('"}'): value
        for name, value in values_in(metrics.render()).items()
        if "_bucket" in name
    }
    assert list(buckets) == ["0.001", "0.005", "0.025", "0.1", "0.25", "1", "2.5", "10", "+Inf"]
    assert next(bound for bound, value in buckets.items() if value) == first
    assert list(buckets.values()) == sorted(buckets.values())


def test_labels_are_escaped() -> None:
    """A route of somebody's app may have what would end a label."""
    metrics = Metrics(lambda: 0.0)
    metrics.count(BY_NAME["edge_http_requests_total"], 'a"b\\c\nd', "200").add()
    assert r'edge_http_requests_total{route="a\"b\\c\nd",status="200"} 1' in metrics.render()


def test_series_without_room_disturb_no_others() -> None:
    """Where somebody's app has more routes than fit, those that are there stay right."""
    region = private_region()
    first = region.place(Series("edge_token_checks_total", (), 1))
    region.numbers[first] = 7
    for route in range(5000):
        place = region.place(Series("edge_http_request_duration_seconds", (f"/{route}",), 10))
        region.numbers[place + 9] += 1
    assert region.numbers[first] == 7
    assert 1000 < len(region.places) < 5000
    assert "edge_token_checks_total 7\n" in render([Reading(region, is_alive=True)], 0.0)


def test_a_region_that_is_read_again_is_the_same() -> None:
    """Its names and places are in the memory itself."""
    memory = memoryview(bytearray(1 << 20))
    series = [Series("edge_http_requests_total", (f"/{n}", "200"), 1) for n in range(20)]
    places = {one: Region(memory).place(one) for one in series}
    assert Region(memory).places == places
    assert len(set(places.values())) == 20


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: Metric) -> None:
    """Counters end in _total and nothing else does; times are in seconds; help ends in a stop."""
    assert metric.name.startswith("edge_")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert not metric.name.endswith(("_ms", "_count", "_sum", "_bucket"))
    assert metric.help.endswith(".")
