"""What soak and chaos look at: whether something grew, and how long faults were noticed."""

import os

import pytest

from loadtests.drift import Sample, latency_drift, look, process_drift
from loadtests.faults import Fault, Happened, break_it, moments, read_faults, recoveries
from loadtests.ledger import Slot


def test_the_last_third_is_held_against_the_one_before() -> None:
    """What happened in the first does not count: caches fill then."""
    samples = [Sample(at_s, 100 + at_s // 30, 10) for at_s in range(0, 90, 2)]
    grown = process_drift(samples, 90)
    assert grown == {"memory": pytest.approx(102 / 101), "files": 1}
    slots = {0: Slot(latency={50.0: 10}), 1: Slot(latency={2.0: 10}), 2: Slot(latency={3.0: 10})}
    assert latency_drift(slots) == {"latency p95": 1.5}


def test_a_run_without_all_thirds_says_nothing() -> None:
    """It was cut short, which is said elsewhere."""
    assert process_drift([Sample(1, 1, 1)], 90) == {}
    assert latency_drift({0: Slot(), 1: Slot()}) == {}


def test_processes_are_looked_at_with_their_children_until_they_end() -> None:
    """One that is gone has nothing."""
    found = look([os.getpid(), 2**22 + 1], 5)
    assert found.at_s == 5
    assert found.memory_bytes > 1_000_000
    assert found.files >= 3


def test_faults_come_evenly_with_time_to_recover(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line each: the name, and the command with whatever is in it."""
    monkeypatch.setenv("LOADTEST_FAULTS", "worker killed=kill -9 1\n\nhang = a=b c")
    assert read_faults() == [Fault("worker killed", "kill -9 1"), Fault("hang", "a=b c")]
    assert moments(60, 20) == [20, 40]
    assert moments(15, 20) == []


def test_a_fault_that_does_not_happen_says_why() -> None:
    """A run in which nothing was broken shows nothing."""
    assert not break_it(Fault("good", "true")).error
    assert break_it(Fault("bad", "echo no such thing >&2; exit 3")).error == (
        "exit code 3: no such thing"
    )


def test_recovery_is_until_the_last_client_that_noticed() -> None:
    """Before the next fault; the worst counts where a fault happened more than once."""
    faults = [Happened("kill", 100.5), Happened("hang", 120.5), Happened("kill", 140.5)]
    failures = {99: 5, 100: 1, 102: 3, 119: 0, 141: 2, 145: 1}
    assert recoveries(faults, failures) == {"kill": 5.5, "hang": 0}
    assert recoveries([], failures) == {}
