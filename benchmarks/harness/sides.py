"""Base and head side by side: two worktrees at paths of equal length, each with its packages."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.harness import environments
from benchmarks.harness.errors import NoCasesError, UsageError
from benchmarks.harness.git import WORKING_TREE, Repository
from benchmarks.harness.process import Tree
from benchmarks.harness.protocol import Described
from benchmarks.harness.registry import read_cases
from benchmarks.harness.team import BASE, HEAD
from benchmarks.results import Side

FOLDER: Final = ".bench"

_CODE: Final = ("edge", "benchmarks")


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides, ready to be measured."""

    base: Tree
    head: Tree
    about_base: Side
    about_head: Side
    cases: list[Described]  # that head has
    removed: list[Described]  # that only base has
    known_to_base: frozenset[str]  # the ids of all that it has
    dependencies: list[str]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What should be compared."""

    base: str | None = None  # None: where this work started from
    head: str | None = None  # None: the working tree
    python: str | None = None  # of both sides; None: an environment from the lock of each


@contextmanager
def own_folder(repository: Repository) -> Iterator[Path]:
    """Give the folder of worktrees and environments to one comparison at a time.

    Raises:
        UsageError: another one has it.
    """
    folder = repository.root / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another comparison runs in {folder}"
            raise UsageError(message) from None
        yield folder


def prepare(
    repository: Repository, folder: Path, asked: Asked, say: Callable[[str], None]
) -> Sides:
    """Check both sides out and install what they need.

    Raises:
        UsageError: a revision is unknown.
        PreparationError: a side cannot be made ready.
    """
    commits = _commits(repository, folder, asked)
    trees = (folder / "a", folder / "b")
    for commit, tree in zip(commits, trees, strict=True):
        repository.check_out(commit, tree)
    lock = environments.lock_of(*trees)
    pythons = [
        asked.python or environments.make(folder / "environments", tree, lock, say)
        for tree in trees
    ]
    base, head = (
        Tree(side, python, tree)
        for side, python, tree in zip((BASE, HEAD), pythons, trees, strict=True)
    )
    cases, before = _cases(base, head)
    ids = {case.id for case in cases}
    for python, tree in zip(pythons, trees, strict=True):
        code = [str(tree / package) for package in _CODE]
        environments.run([python, "-m", "compileall", "-q", *code])
    about_base, about_head = _about(repository, asked, commits, [tree / lock for tree in trees])
    return Sides(
        base=base,
        head=head,
        about_base=about_base,
        about_head=about_head,
        cases=cases,
        removed=[case for case in before if case.id not in ids],
        known_to_base=frozenset(case.id for case in before),
        dependencies=environments.differences(*((tree / lock).read_text() for tree in trees)),
    )


def _commits(repository: Repository, folder: Path, asked: Asked) -> tuple[str, str]:
    base = (
        repository.default_base(os.environ) if asked.base is None else repository.commit(asked.base)
    )
    if asked.head is None:
        return base, repository.snapshot(folder)
    return base, repository.commit(asked.head)


def _cases(base: Tree, head: Tree) -> tuple[list[Described], list[Described]]:
    """Give the cases of head, and those of base, which then gets the benchmarks of head.

    So one and the same benchmark runs on both products.
    """
    try:
        before = read_cases(base)
    except NoCasesError:  # older than the benchmarks
        before = []
    cases = read_cases(head)
    shutil.rmtree(base.path / "benchmarks", ignore_errors=True)
    shutil.copytree(head.path / "benchmarks", base.path / "benchmarks")
    return cases, before


def _about(
    repository: Repository, asked: Asked, commits: tuple[str, str], locks: list[Path]
) -> tuple[Side, Side]:
    is_dirty = asked.head is None and repository.is_dirty()
    base, head = commits
    name = asked.base or "where this work started"
    return (
        Side(name, base, False, environments.digest_of(locks[0])),  # noqa: FBT003
        Side(
            asked.head or WORKING_TREE,
            repository.commit("HEAD") if is_dirty else head,
            is_dirty,
            environments.digest_of(locks[1]),
        ),
    )
