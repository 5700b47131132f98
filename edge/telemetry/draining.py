"""Draining: a server that is about to stop says so, and goes on serving for a while."""

import mmap


class Draining:
    """Whether load balancers are to send nothing more here; one for a server and its workers.

    Memory of its own, which processes that are forked afterwards share.
    """

    def __init__(self) -> None:
        self._flag = mmap.mmap(-1, 1)

    @property
    def is_on(self) -> bool:
        return self._flag[0] != 0

    def begin(self) -> None:
        self._flag[0] = 1
