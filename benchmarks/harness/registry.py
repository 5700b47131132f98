"""The cases that a tree has.

python -m benchmarks.harness.registry
"""

import subprocess
import sys

import msgspec

from benchmarks.harness.errors import NoCasesError
from benchmarks.harness.process import Tree, environment
from benchmarks.harness.protocol import Described, describe


def read_cases(tree: Tree) -> list[Described]:
    """Give the cases of a tree.

    Raises:
        NoCasesError: it has none.
    """
    asked = subprocess.run(  # noqa: S603
        [tree.python, "-m", "benchmarks.harness.registry"],
        cwd=tree.path,
        env=environment(tree.path, 0, {}),
        capture_output=True,
        check=False,
    )
    if asked.returncode:
        written = asked.stderr.decode(errors="replace").strip()
        message = f"{tree.side}: the cases cannot be read:\n{written}"
        raise NoCasesError(message)
    return msgspec.json.decode(asked.stdout, type=list[Described])


def main() -> None:
    from benchmarks.cases import CASES, UNREADABLE  # noqa: PLC0415  # the driver imports this too

    if UNREADABLE:  # a case that is left out unseen is one that no longer fails
        sys.exit("\n".join(f"{name}: {error}" for name, error in UNREADABLE.items()))
    sys.stdout.buffer.write(msgspec.json.encode([describe(case) for case in CASES]))


if __name__ == "__main__":
    main()
