"""A worker process as the driver sees it: asked something, it answers or has failed."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from benchmarks.harness.errors import StartError
from benchmarks.harness.inject import INJECT, written
from benchmarks.harness.protocol import (
    ANY_CPU,
    Answer,
    Close,
    Done,
    Failed,
    Hello,
    Open,
    Request,
    Run,
    Took,
)

# An operation that hangs must not hang a CI job. The slowest case to open starts a PostgreSQL.
_ANSWER_TIMEOUT_S: Final = 120
_STOP_TIMEOUT_S: Final = 20
_READ_BYTES: Final = 65536

_TOO_LONG: Final = f"no answer in {_ANSWER_TIMEOUT_S} s"
_OUT_OF_TURN: Final = "it answers out of turn"

_DECODER: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


class CaseError(Exception):
    """A case failed on one side; its process may be gone, and should be given up."""

    def __init__(self, side: str, said: str, trace: str = "") -> None:
        super().__init__(f"{side}: {said}" if side else said)
        self.kind = said.partition(":")[0]  # of an exception in the case, its type
        self.trace = trace


class Tree(msgspec.Struct, frozen=True):
    """The sources of one side, and the Python that runs them."""

    side: str  # "base" or "head", for people
    python: str
    path: Path


class Worker:
    """One process; it ends when this is left."""

    def __init__(
        self, tree: Tree, *, seed: int, cpu: int | None, slower: Mapping[str, float] | None = None
    ) -> None:
        self._tree = tree
        self._received = b""
        self._process = subprocess.Popen(  # noqa: S603
            [tree.python, "-m", "benchmarks.harness.worker", ANY_CPU if cpu is None else str(cpu)],
            cwd=tree.path,
            env=environment(tree.path, seed, slower or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Control-C is for the driver, which ends this in order
        )

    def greet(self) -> Hello:
        """Wait until it is up, and see that it measures what it should.

        Raises:
            StartError: it does not start, or not with the product of its tree.
        """
        try:
            hello = self._receive()
        except CaseError as error:
            raise StartError(f"{error}\n{error.trace}".strip()) from None
        if not isinstance(hello, Hello):
            message = f"{self._tree.side}: it does not answer as a worker does"
            raise StartError(message)
        if self._tree.path.resolve() not in Path(hello.product).resolve().parents:
            message = f"{self._tree.side}: it would measure {hello.product or 'nothing'}"
            raise StartError(message)
        return hello

    def open(self, case: str) -> None:
        """Make a case ready."""
        self._ask(Open(case))

    def run(self, case: str, n: int, warm_up: int = 0) -> int:
        """Run a batch, give its nanoseconds."""
        answer = self._ask(Run(case, n, warm_up))
        if not isinstance(answer, Took) or answer.ns <= 0:
            raise CaseError(self._tree.side, "a batch took no time")
        return answer.ns

    def close_cases(self) -> None:
        """Leave the cases that are ready."""
        self._ask(Close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it; one that does not end is killed."""
        try:
            self._process.communicate(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _ask(self, request: Request) -> Took | Done:
        try:
            os.write(self._stdin, msgspec.json.encode(request) + b"\n")
        except BrokenPipeError:
            raise CaseError(self._tree.side, self._how_it_ended()) from None
        answer = self._receive()
        if isinstance(answer, Hello):
            raise CaseError(self._tree.side, _OUT_OF_TURN)
        return answer

    def _receive(self) -> Hello | Took | Done:
        answer = _DECODER.decode(self._line())
        if isinstance(answer, Failed):
            raise CaseError(self._tree.side, answer.error, answer.trace)
        return answer

    def _line(self) -> bytes:
        deadline = time.perf_counter() + _ANSWER_TIMEOUT_S
        while b"\n" not in self._received:
            left = deadline - time.perf_counter()
            if left <= 0 or not select.select([self._stdout], [], [], left)[0]:
                self._process.kill()
                raise CaseError(self._tree.side, _TOO_LONG)
            part = os.read(self._stdout, _READ_BYTES)
            if not part:
                raise CaseError(self._tree.side, self._how_it_ended())
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _how_it_ended(self) -> str:
        code = self._process.wait(_STOP_TIMEOUT_S)
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"its process ended with {how}"

    @property
    def _stdin(self) -> int:
        assert self._process.stdin is not None  # noqa: S101  # it was asked for
        return self._process.stdin.fileno()

    @property
    def _stdout(self) -> int:
        assert self._process.stdout is not None  # noqa: S101  # it was asked for
        return self._process.stdout.fileno()


def environment(tree: Path, seed: int, slower: Mapping[str, float]) -> dict[str, str]:
    """Give what both sides of a pair get alike: none of the settings that a developer has."""
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("EDGE_", "PYTHON"))
    }
    injected = {INJECT: written(slower)} if slower else {}
    return {**kept, **injected, "PYTHONPATH": str(tree), "PYTHONHASHSEED": str(seed)}
