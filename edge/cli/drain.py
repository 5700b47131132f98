"""`edge drain`: telling load balancers to send nothing more here."""

import os
import threading

import click

from edge.cli.common import fail, read_settings
from edge.cli.server import DRAIN_SIGNAL, pid_file


@click.command()
@click.option("--port", type=int, help="The port of the server (EDGE_SERVER_PORT).")
@click.option("--pid", type=int, help="Its process id, where it is not in its file.")
@click.option("--wait", "wait_s", type=float, default=0, help="Seconds to wait before it ends.")
def drain(port: int | None, pid: int | None, wait_s: float) -> None:
    """Turn the /readyz of a running server on this machine red; it goes on serving.

    Stop it when the load balancer sends nothing more; it then stops at once.
    """
    found = _pid_of(port) if pid is None else pid
    try:
        os.kill(found, DRAIN_SIGNAL)
    except (ProcessLookupError, PermissionError) as error:
        fail(f"process {found} cannot be told: {error.strerror}")
    click.echo(f"process {found} is draining")
    threading.Event().wait(wait_s)


def _pid_of(port: int | None) -> int:
    settings = read_settings()
    path = pid_file(settings, port)
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        fail(f"no server has its process id in {path}; name it with --pid")
