"""What may not be in `[server]`, beyond types and bounds."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final

from edge.settings.findings import Finding
from edge.settings.model import Settings

# Granian takes no less; a worker that lives shorter does hardly anything but start.
_SHORTEST_LIFETIME_S: Final = 60
_LARGEST_PORT: Final = 65_535


def check_server(settings: Settings) -> Iterator[Finding]:
    """Find everything wrong with how to listen, and for how long."""
    yield from _tls(settings)
    yield from _metrics(settings)
    if settings.traces.endpoint and not _has_opentelemetry():
        problem = "is set, and OpenTelemetry is not installed"
        fix = "install it with: pip install 'edge[traces]'"
        yield Finding("error", "EDGE_TRACES_ENDPOINT", problem, fix)
    server = settings.server
    if 0 < server.worker_lifetime_s < _SHORTEST_LIFETIME_S:
        yield Finding(
            "error",
            "EDGE_SERVER_WORKER_LIFETIME_S",
            f"is less than {_SHORTEST_LIFETIME_S}",
            "set it to 0 for never, or to an hour or more",
        )
    if server.unix_socket and not server.unix_socket.absolute().parent.is_dir():
        yield Finding(
            "error",
            "EDGE_SERVER_UNIX_SOCKET",
            "is in a folder that is not there",
            "make the folder, or mend the path",
        )


def _metrics(settings: Settings) -> Iterator[Finding]:
    server, bind = settings.server, settings.metrics.bind
    if not bind:
        return
    host, _, port = bind.rpartition(":")
    if not 0 < int(port) <= _LARGEST_PORT:
        problem, fix = f"names the port {port}", f"use one from 1 to {_LARGEST_PORT}"
        yield Finding("error", "EDGE_METRICS_BIND", problem, fix)
    elif (host, int(port)) == (server.host, server.port) and not server.unix_socket:
        problem, fix = "is where the service itself listens", "use another port"
        yield Finding("error", "EDGE_METRICS_BIND", problem, fix)


def _has_opentelemetry() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:  # not even what it is a part of
        return False


def _tls(settings: Settings) -> Iterator[Finding]:
    server = settings.server
    files = {
        "EDGE_SERVER_TLS_CERTIFICATE": server.tls_certificate,
        "EDGE_SERVER_TLS_KEY": server.tls_key,
    }
    given = {variable: path for variable, path in files.items() if path}
    if len(given) == 1:
        (variable,) = files.keys() - given.keys()
        yield Finding("error", variable, "is not set, and the other one is", "set both or none")
    for variable, path in given.items():
        if not path.is_file():
            yield Finding("error", variable, f"names {path}, which is no file", "mend the path")
