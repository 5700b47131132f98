"""`edge serve`: Granian with the service in its workers."""

import asyncio
import socket
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click
import msgspec

from edge.app import create_app, entry
from edge.cli.common import build, fail, fail_with, read_settings
from edge.cli.demo import ensure_demo_accounts
from edge.cli.metrics_listener import MetricsListener
from edge.cli.server import loading, make_board, make_server, pid_written
from edge.composition import Edge, metrics_text
from edge.faults import UnavailableError
from edge.settings import Settings, SettingsError
from edge.telemetry import logs
from edge.telemetry.board import Board
from edge.telemetry.draining import Draining


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
    draining, board = Draining(), make_board(settings)
    load = loading(lambda: entry(create_app(settings, draining, board)))
    with _metrics_shown(settings, board), pid_written(settings):
        make_server(settings, draining).serve(target_loader=load, wrap_loader=False)


def _override(settings: Settings, host: str | None, port: int | None, *, demo: bool) -> Settings:
    server = settings.server
    host = server.host if host is None else host
    port = server.port if port is None else port
    port = port if server.unix_socket else _claim(host, port)
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


def _metrics_shown(settings: Settings, board: Board) -> AbstractContextManager[object]:
    bind = settings.metrics.bind
    if not bind:
        return nullcontext()
    try:
        return MetricsListener(bind, lambda: metrics_text(board))
    except OSError as error:
        fail(f"EDGE_METRICS_BIND: {bind} cannot be listened on: {error.strerror}")


async def _prepare(edge: Edge) -> dict[str, str]:
    """Bring the database to where workers can start; gives the demo passwords made now.

    Here and not in the workers, which would all do it at once.
    """
    async with edge.stores_open():
        if not edge.settings.demo:
            return {}
        return await ensure_demo_accounts(edge.accounts, _demo_folder(edge.settings))


def _demo_folder(settings: Settings) -> Path:
    return settings.data_dir / "demo"


def _greet(settings: Settings, passwords: dict[str, str]) -> None:
    socket_path, url = settings.server.unix_socket, settings.served_url
    where = f"unix:{socket_path}" if socket_path else url
    click.echo(f"{settings.service_name} serves on {where} ({settings.environment})")
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
