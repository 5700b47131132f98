"""The worker processes of one round, a fresh one for each tree."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.harness.lockstep import Draw
from benchmarks.harness.process import Tree, Worker

HEAD = "head"
BASE = "base"


class Team:
    """Workers that have the same hash seed and CPU; those of head are made slower on request."""

    def __init__(self, trees: Sequence[Tree], draw: Draw, slower: Mapping[str, float]) -> None:
        self.draw = draw
        self._trees = trees
        self._slower = slower
        self._running = ExitStack()
        self._workers: list[Worker] = []

    @property
    def workers(self) -> Sequence[Worker]:
        """Give a worker for each tree; they are started when they are first needed.

        Raises:
            StartError: one does not start.
        """
        if not self._workers:
            self._workers = [self._running.enter_context(self._start(tree)) for tree in self._trees]
            for worker in self._workers:
                worker.greet()
        return self._workers

    def dismiss(self) -> None:
        """End all of them. After a case failed, the next one gets fresh ones."""
        self._workers = []
        self._running.close()

    def _start(self, tree: Tree) -> Worker:
        slower = self._slower if tree.side == HEAD else {}
        return Worker(tree, seed=self.draw.seed, cpu=self.draw.cpu, slower=slower)


@contextmanager
def team(trees: Sequence[Tree], draw: Draw, slower: Mapping[str, float]) -> Iterator[Team]:
    """Give a team whose processes end when this is left."""
    hired = Team(trees, draw, slower)
    try:
        yield hired
    finally:
        hired.dismiss()
