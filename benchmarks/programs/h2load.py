"""Asking a server as fast as it answers, by h2load of nghttp2."""

import asyncio
import re
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from typing import Final

import msgspec

from benchmarks.case import WrongResultError
from benchmarks.programs.cpus import beside, started_on
from benchmarks.programs.program import find

INSTALL: Final = "apt-get install nghttp2-client"
CONNECTIONS: Final = 32

_RATE: Final = re.compile(r"finished in [^,]+, ([0-9.]+) req/s")
_CLASSES: Final = re.compile(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx")
_NS: Final = 1_000_000_000


class Asked(msgspec.Struct, frozen=True):
    """A request, and the status of its answer."""

    url: str
    fields: Mapping[str, str]
    status: int = 200


class H2load:
    """The generator.

    Raises:
        MissingProgramError: it is not installed.
    """

    def __init__(self) -> None:
        self._program = find("h2load", INSTALL)

    async def burst(self, asked: Asked, n: int) -> int:
        """Ask n times over kept connections; gives the nanoseconds that it took.

        Raises:
            WrongResultError: not all of the answers are of the right class.
        """
        connections = str(min(CONNECTIONS, n))
        fields = [f"{name}: {value}" for name, value in asked.fields.items()]
        options = [part for field in fields for part in ("-H", field)]
        command = [self._program, "--h1", "-t", "1", "-n", str(n), "-c", connections]
        with started_on(beside()):
            process = await asyncio.create_subprocess_exec(
                *command, *options, asked.url, stdout=PIPE, stderr=PIPE
            )
        output, errors = await process.communicate()
        return read_rate(output.decode() + errors.decode(), asked.status, n)


def read_rate(output: str, status: int, n: int) -> int:
    """Give the nanoseconds of n requests, from what h2load wrote.

    Raises:
        WrongResultError: not all of the answers are of the right class.
    """
    rate, classes = _RATE.search(output), _CLASSES.search(output)
    if rate is None or classes is None or int(classes[status // 100 - 1]) != n:
        message = f"not all of {n} answers were {status}; h2load wrote:\n{output}"
        raise WrongResultError(message)
    return round(n / float(rate[1]) * _NS)
