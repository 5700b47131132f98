"""Programs that check files, of the environment or of the machine."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.requirements import missing

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Run a checker; gives what it prints, and fails where it finds anything."""
    program = Path(sys.executable).parent / command[0]
    found = str(program) if program.exists() else shutil.which(str(command[0]))
    if found is None:
        missing(str(command[0]), f"a package that has {command[0]}")
    done = subprocess.run(
        [found, *map(str, command[1:])], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
