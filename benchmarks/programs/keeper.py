"""A process that runs a command for as long as its own standard input is open.

A test run that is killed outright cannot stop what it started. This one can: its input closes when
the run ends, however it ends. Then it stops the command and removes the command's folder.

    python keeper.py UID GID FOLDER COMMAND...

It imports nothing of the project, so that it starts at once and from anywhere.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

STOP_TIMEOUT_S = 10


def main(uid: int, gid: int, folder: str, command: list[str]) -> int:
    child = subprocess.Popen(  # noqa: S603  # what its starter wants
        command, cwd=folder, stdin=subprocess.DEVNULL, **as_account(uid, gid)
    )
    threading.Thread(target=_stop_when_input_closes, args=(child,), daemon=True).start()
    returncode: int = child.wait()
    shutil.rmtree(folder, ignore_errors=True)
    return returncode


def as_account(uid: int, gid: int) -> dict[str, Any]:
    """Give the arguments that make `subprocess` run something as this account."""
    if uid == os.geteuid():
        return {}
    return {"user": uid, "group": gid, "extra_groups": []}


def _stop_when_input_closes(child: "subprocess.Popen[bytes]") -> None:
    sys.stdin.buffer.read()
    child.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
    try:
        child.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
