"""The processes of a test run: pytest alone, or a controller and its workers (`pytest -n 2`)."""

import os
import signal
from types import FrameType
from typing import Final

import psutil
import pytest

COUNT: Final = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
NUMBER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def is_controller(config: pytest.Config) -> bool:
    """Whether this is a controller, which runs no test itself."""
    is_spread: bool = config.getoption("dist", "no") != "no"
    return is_spread


def end_as_after_ctrl_c(session: pytest.Session) -> None:
    """Stop the servers of this process when it is asked to end, by CI or by `timeout`.

    What a controller is asked it passes on, Ctrl-C too: its workers would else go on for seconds.
    """
    if is_controller(session.config):
        signal.signal(signal.SIGTERM, _pass_on)
        signal.signal(signal.SIGINT, _pass_on)
        return

    def end(number: int, frame: FrameType | None) -> None:
        if session.shouldstop:  # a second signal must not keep the servers from being stopped
            return
        # Should a test swallow the interrupt, it is the last one.
        session.shouldstop = signal.Signals(number).name
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    if hasattr(session.config, "workerinput"):  # Ctrl-C is for all processes of a terminal
        signal.signal(signal.SIGINT, end)


def _pass_on(number: int, frame: FrameType | None) -> None:
    for worker in psutil.Process().children():
        worker.terminate()
    raise KeyboardInterrupt
