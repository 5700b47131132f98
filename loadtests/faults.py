"""Breaking things on purpose while a test runs, and how long clients noticed."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "LOADTEST_FAULTS"


@dataclass(frozen=True)
class Fault:
    name: str
    command: str


@dataclass(frozen=True)
class Happened:
    """A fault, at a time since the epoch; `error` says why it did not happen."""

    name: str
    at_s: float
    error: str = ""


def read_faults() -> list[Fault]:
    """Give those of the environment: a line each, `NAME=COMMAND`."""
    lines = os.environ.get(VARIABLE, "").splitlines()
    pairs = [line.partition("=") for line in lines if line.strip()]
    return [Fault(name.strip(), command.strip()) for name, _, command in pairs]


def moments(run_time_s: float, every_s: float) -> list[float]:
    """Give when to break something, so that there is as long to recover after the last one."""
    count = int(run_time_s / every_s) - 1
    return [every_s * (number + 1) for number in range(count)]


def break_it(fault: Fault) -> Happened:
    at_s = time.time()  # noqa: TID251  # compared with locust's own seconds
    done = subprocess.run(  # noqa: S602  # what the operator wrote for a shell
        fault.command, shell=True, capture_output=True, text=True, check=False
    )
    error = f"exit code {done.returncode}: {done.stderr.strip()}" if done.returncode else ""
    return Happened(fault.name, at_s, error)


def recoveries(faults: Sequence[Happened], failures: Mapping[int, int]) -> dict[str, float]:
    """Give for each fault how long after it a client still noticed, at the worst; 0 where none did.

    `failures` are counted by the second of the answer, so this is exact to a second.
    """
    found: dict[str, float] = {}
    ends_s = [*(fault.at_s for fault in faults[1:]), float("inf")]
    for fault, end_s in zip(faults, ends_s, strict=False):
        seconds = [
            second + 1 - fault.at_s
            for second, count in failures.items()
            if count and int(fault.at_s) <= second < end_s
        ]
        found[fault.name] = max(found.get(fault.name, 0.0), *seconds, 0.0)
    return found
