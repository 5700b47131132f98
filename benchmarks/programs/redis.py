"""A Redis that keeps nothing on disk, beside the CPU that is measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.programs.cpus import beside
from benchmarks.programs.program import HOST, find, free_port, is_listening, new_folder, running
from benchmarks.programs.shared import Shared

INSTALL: Final = "apt-get install redis-server"


@contextmanager
def running_redis() -> Iterator[int]:
    """Give its port."""
    program, port = find("redis-server", INSTALL), free_port()
    options = ["--bind", HOST, "--port", str(port), "--save", ""]
    with running([program, *options], port, beside(), folder=new_folder(), is_up=is_listening):
        yield port


REDIS: Final = Shared(running_redis)
"""One for all cases that are open at the same time."""
