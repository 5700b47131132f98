"""Commits of the repository, and the working tree as one of them."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.harness.errors import PreparationError, UsageError

WORKING_TREE: Final = "working tree"

_MAINS: Final = ("origin/main", "main")
_PARENTS_OF_A_MERGE: Final = 2
_NO_HOOKS: Final = ("-c", "core.hooksPath=/dev/null")
# A snapshot is a commit that no branch has. It needs an author, and a CI machine has none.
_NOBODY: Final = {
    f"GIT_{role}_{what}": text
    for role in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "edge-bench"), ("EMAIL", "edge-bench@localhost"))
}


class Repository:
    """The one that a folder is in."""

    def __init__(self, folder: Path) -> None:
        """Find its root.

        Raises:
            UsageError: the folder is in no repository.
        """
        self.root = folder
        top = self._try("rev-parse", "--show-toplevel")
        if top is None:
            message = f"{folder} is not in a git repository: nothing to compare"
            raise UsageError(message)
        self.root = Path(top)

    def commit(self, revision: str) -> str:
        """Give the commit that a revision names.

        Raises:
            UsageError: there is none.
        """
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options")
        found = self._try(*asked, f"{revision}^{{commit}}")
        if found is None:
            message = (
                f"there is no revision {revision!r} here; a shallow clone may lack it"
                " (git fetch --unshallow)"
            )
            raise UsageError(message)
        return found

    def is_dirty(self) -> bool:
        """Say whether something is uncommitted or untracked."""
        return bool(self._git("status", "--porcelain"))

    def default_base(self, environment: Mapping[str, str]) -> str:
        """Give the commit that this work started from.

        That is the first parent where CI checked out the merge of a pull request, else where the
        branch left main, else, on main, the last commit. The tip of main would also have what
        others did since.

        Raises:
            UsageError: nothing has changed since any of these.
        """
        head = self.commit("HEAD")
        parents = self._git("rev-list", "--parents", "--max-count=1", "HEAD").split()[1:]
        # The other way round, main merged into the branch, the first parent is of the branch.
        is_merge = len(parents) == _PARENTS_OF_A_MERGE and not self._is_in_main(parents[1])
        if "CI" in environment and is_merge:
            return parents[0]
        fork = self._fork()
        if fork != head:
            return fork
        if self.is_dirty():
            return head
        message = "nothing has changed since main; name a base: edge-bench compare HEAD~1"
        raise UsageError(message)

    def snapshot(self, scratch: Path) -> str:
        """Give a commit of the working tree: the uncommitted and the untracked, not the ignored.

        Branches and the index stay as they are.
        """
        if not self.is_dirty():
            return self.commit("HEAD")
        index = scratch / "index"
        known = self.root / self._git("rev-parse", "--git-path", "index")
        if known.exists():  # so that unchanged files need not be read again
            shutil.copy2(known, index)
        aside = {"GIT_INDEX_FILE": str(index)}
        self._git("add", "--all", environment=aside)
        tree = self._git("write-tree", environment=aside)
        return self._git("commit-tree", tree, "-p", "HEAD", "-m", WORKING_TREE, environment=_NOBODY)

    def check_out(self, commit: str, folder: Path) -> None:
        """Put the files of a commit into a worktree, and nothing else but compiled modules."""
        inside = ("-C", str(folder), *_NO_HOOKS)
        if (folder / ".git").exists() and self._try(*inside, "rev-parse", "--git-dir"):
            self._git(*inside, "checkout", "--quiet", "--force", "--detach", commit)
            self._git(*inside, "clean", "--quiet", "-ffdx", "--exclude=__pycache__")
            return
        shutil.rmtree(folder, ignore_errors=True)
        self._git("worktree", "prune")
        add = ("worktree", "add", "--quiet", "--force", "--detach")
        self._git(*_NO_HOOKS, *add, str(folder), commit)

    def _is_in_main(self, commit: str) -> bool:
        asked = ("merge-base", "--is-ancestor", commit)
        return any(self._try(*asked, main) is not None for main in _MAINS)

    def _fork(self) -> str:
        for main in _MAINS:
            fork = self._try("merge-base", main, "HEAD")
            if fork is not None:
                return fork
        message = "there is neither origin/main nor main; name a base: edge-bench compare BASE"
        raise UsageError(message)

    def _try(self, *arguments: str) -> str | None:
        """Give what git prints, nothing where it fails."""
        asked = self._run(arguments, {})
        return None if asked.returncode else asked.stdout.strip()

    def _git(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        asked = self._run(arguments, environment or {})
        if asked.returncode:
            message = f"git {' '.join(arguments)}: {asked.stderr.strip()}"
            raise PreparationError(message)
        return asked.stdout.strip()

    def _run(
        self, arguments: tuple[str, ...], environment: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=self.root,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
