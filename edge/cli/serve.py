"""`edge serve`: Granian with the service in its workers."""

import asyncio
import signal
import socket
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from edge.app import create_app
from edge.cli.common import build, fail, fail_with, read_settings
from edge.cli.demo import ensure_demo_accounts
from edge.composition import Edge
from edge.faults import UnavailableError
from edge.settings import Settings, SettingsError
from edge.telemetry import logs

# Granian closes idle connections after its header timeout. Balancers keep theirs for up to 60 s
# (AWS) and must not find one closed just when they reuse it.
_HEADER_TIMEOUT_MS: Final = 65_000
# Two of the largest headers that nginx passes on by default (4 x 8 KiB).
_HEADER_BUFFER_BYTES: Final = 64 * 1024


@click.command()
@click.option("--host", help="The address to listen on (EDGE_SERVER_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port (EDGE_SERVER_PORT).")
@click.option("--demo", is_flag=True, help="Make accounts to try things with (development only).")
def serve(*, host: str | None, port: int | None, demo: bool) -> None:
    """Run the service."""
    settings = _override(read_settings(), host, port, demo=demo)
    edge = build(settings)
    logs.configure(settings.log.level, as_json=settings.logs_as_json)
    try:
        passwords = asyncio.run(_prepare(edge))
    except SettingsError as error:
        fail_with(error.findings)
    except UnavailableError as error:
        fail(f"{error.reason}: {error.__cause__}")
    _greet(settings, passwords)
    _granian(settings).serve(target_loader=lambda: _load(settings), wrap_loader=False)


def _override(settings: Settings, host: str | None, port: int | None, *, demo: bool) -> Settings:
    server = settings.server
    host = server.host if host is None else host
    port = _claim(host, server.port if port is None else port)
    server = msgspec.structs.replace(server, host=host, port=port)
    return msgspec.structs.replace(settings, server=server, demo=settings.demo or demo)


def _claim(host: str, port: int) -> int:
    """Give the port to listen on, for 0 one that is free; a port that is taken ends the process.

    Granian would share a taken port with whoever has it, and each would get some of the requests.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            free: int = probe.getsockname()[1]
    except OSError as error:
        fail(f"port {port} of {host} cannot be listened on: {error.strerror}")
    return free


async def _prepare(edge: Edge) -> dict[str, str]:
    """Bring the database to where workers can start; gives the demo passwords made now.

    Here and not in the workers, which would all do it at once.
    """
    async with edge.stores_open():
        if not edge.settings.demo:
            return {}
        return await ensure_demo_accounts(edge.accounts, _demo_folder(edge.settings))


def _load(settings: Settings) -> Any:  # noqa: ANN401  # whatever Granian calls
    # The workers inherit the parent's handlers, which swallow a SIGTERM that comes before the
    # event loop runs. With the default ones it ends the process, as it should.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    return create_app(settings)


def _granian(settings: Settings) -> MPServer:
    server = settings.server
    return MPServer(
        "edge.app",
        address=server.host,
        port=server.port,
        interface=Interfaces.ASGI,
        workers=server.workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADER_TIMEOUT_MS, max_buffer_size=_HEADER_BUFFER_BYTES
        ),
        websockets=False,
        log_dictconfig=logs.server_config(settings.log.level, as_json=settings.logs_as_json),
        respawn_failed_workers=True,
        workers_kill_timeout=server.stop_timeout_s,
    )


def _demo_folder(settings: Settings) -> Path:
    return settings.data_dir / "demo"


def _greet(settings: Settings, passwords: dict[str, str]) -> None:
    url = f"http://{settings.server.host}:{settings.server.port}"
    click.echo(f"{settings.service_name} serves on {url} ({settings.environment})")
    if not settings.demo:
        return
    folder = _demo_folder(settings)
    if passwords:
        click.echo("\nDemo accounts, made now; the passwords are shown only this once:\n")
        for username, password in passwords.items():
            click.echo(f"  {username:<10} {password}")
    click.echo(
        f"""
The passwords are kept in {folder}/. Try this in another terminal:

  curl {url}/token -d grant_type=password -d username=admin -d password="$(cat {folder}/admin)"
  curl -u user:"$(cat {folder}/user)" {url}/basic-protected
  curl {url}/admin-area
"""
    )
