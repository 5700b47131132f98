"""The frozen packages of each side: an environment for each lock, kept for the next time."""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.harness.errors import PreparationError

# What a benchmark needs; an older base locked all of that for its tests.
_LOCKS: Final = (Path("requirements/bench.txt"), Path("requirements/dev.txt"))
_DIGEST_LENGTH: Final = 16
_MADE: Final = "complete"  # written last: one that was interrupted is made again
_PIN: Final = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE | re.IGNORECASE
)


def lock_of(base: Path, head: Path) -> Path:
    """Give the lock file that both trees have.

    Raises:
        PreparationError: there is none.
    """
    for lock in _LOCKS:
        if (base / lock).is_file() and (head / lock).is_file():
            return lock
    message = f"base and head both need {' or '.join(map(str, _LOCKS))}"
    raise PreparationError(message)


def digest_of(lock: Path) -> str:
    """Give the name of an environment: by the lock, and by the Python that it is for."""
    content = lock.read_bytes() + sys.version.encode()
    return hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]


def differences(base: str, head: str) -> list[str]:
    """List the packages that two locks pin differently, one line each."""
    before, after = (dict(_PIN.findall(lock)) for lock in (base, head))
    return [
        f"{name} {before.get(name, 'none')} -> {after.get(name, 'none')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def make(folder: Path, tree: Path, lock: Path, say: Callable[[str], None]) -> str:
    """Give the Python of an environment that has what a lock pins, and the metadata of Edge.

    Raises:
        PreparationError: it cannot be installed.
    """
    environment = folder / digest_of(tree / lock)
    python = environment / "bin" / "python"
    if not (environment / _MADE).exists():
        say(f"installing {lock}; that is kept for as long as the lock stays the same")
        create, install = _with_uv(environment, python) or _with_pip(environment, python)
        run(create)
        run([*install, "--require-hashes", "-r", str(tree / lock)])
        run([*install, "--no-index", "--no-deps", "--no-build-isolation", "--editable", str(tree)])
        (environment / _MADE).touch()
    return str(python)


def run(command: Sequence[str], folder: Path | None = None) -> None:
    """Run a command that has to work.

    Raises:
        PreparationError: it did not; the message holds what it wrote.
    """
    done = subprocess.run(  # noqa: S603
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"{' '.join(command)}\n{done.stdout.strip()}"
        raise PreparationError(message)


def _with_uv(environment: Path, python: Path) -> tuple[list[str], list[str]] | None:
    """Give how to create an environment and to install into it; nothing where uv is not there."""
    uv = shutil.which("uv")
    # Asked, not looked up: a uv that is only a version manager's shim is no uv.
    if uv is None or subprocess.run([uv, "--version"], capture_output=True, check=False).returncode:  # noqa: S603
        return None
    create = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(environment)]
    return create, [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]


def _with_pip(environment: Path, python: Path) -> tuple[list[str], list[str]]:
    create = [sys.executable, "-m", "venv", "--clear", str(environment)]
    return create, [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
