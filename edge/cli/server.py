"""Granian, set up to stand behind a load balancer."""

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings, HTTP2Settings
from granian.server.mp import MPServer

from edge.settings import Settings
from edge.telemetry import logs
from edge.telemetry.board import Board
from edge.telemetry.draining import Draining

# Two of the largest headers that nginx passes on by default (4 x 8 KiB).
_HEADER_BUFFER_BYTES: Final = 64 * 1024
# Envoy's advice for an edge: a client that opens streams and resets them gets no further than that.
_HTTP2: Final = HTTP2Settings(
    initial_connection_window_size=1024 * 1024,
    initial_stream_window_size=64 * 1024,
    keep_alive_interval=30_000,
    max_concurrent_streams=100,
    max_headers_size=_HEADER_BUFFER_BYTES,
)
# A new worker is listening by then, so that the old one may go.
_RESPAWN_INTERVAL_S: Final = 3.5
# Where an old worker goes, its successor is there already; two more for one that dies meanwhile.
_SPARE_PROCESSES: Final = 2

# New objects after which the garbage collector looks for cycles: a few megabytes.
_GARBAGE: Final = 20_000

DRAIN_SIGNAL: Final = signal.SIGUSR1


class Server(MPServer):
    """Granian's server, which drains before it stops.

    The first SIGTERM turns readiness red and stops the server `drain_s` later; a second one, or
    SIGINT, stops it at once. `DRAIN_SIGNAL` does only the first.
    """

    def __init__(self, *args: Any, draining: Draining, drain_s: float, **options: Any) -> None:  # noqa: ANN401  # Granian's own
        super().__init__(*args, **options)
        self._draining = draining
        self._drain_s = drain_s

    def startup(self, *args: Any) -> None:  # noqa: ANN401
        signal.signal(DRAIN_SIGNAL, lambda *_: self._draining.begin())
        super().startup(*args)  # type: ignore[no-untyped-call]  # Granian has no types there

    def signal_handler_interrupt(self, number: int, *_: object) -> None:
        is_first = number == signal.SIGTERM and not self._draining.is_on
        self._draining.begin()
        if not is_first or not self._drain_s:
            super().signal_handler_interrupt()  # type: ignore[no-untyped-call]
            return
        timer = threading.Timer(self._drain_s, super().signal_handler_interrupt)
        timer.daemon = True
        timer.start()


def make_server(settings: Settings, draining: Draining) -> Server:
    """Make the server for these settings; it starts nothing yet."""
    # What it is given to load is no value that could be sent to a process that was not forked.
    multiprocessing.set_start_method("fork", force=True)
    server = settings.server
    if server.unix_socket:
        server.unix_socket.unlink(missing_ok=True)  # of one that was killed
    return Server(
        "edge.app",
        draining=draining,
        drain_s=settings.drain_s,
        address=server.host,
        port=server.port,
        uds=server.unix_socket,
        uds_permissions=int(server.unix_socket_mode, 8),
        interface=Interfaces.ASGI,
        workers=server.workers,
        loop=Loops.uvloop,
        http=HTTPModes(server.http),
        http1_settings=HTTP1Settings(
            header_read_timeout=server.keep_alive_s * 1000, max_buffer_size=_HEADER_BUFFER_BYTES
        ),
        http2_settings=_HTTP2,
        websockets=False,
        backpressure=server.max_connections,
        log_dictconfig=logs.server_config(settings.log.level, as_json=settings.logs_as_json),
        ssl_cert=server.tls_certificate,
        ssl_key=server.tls_key,
        respawn_failed_workers=True,
        respawn_interval=_RESPAWN_INTERVAL_S,
        workers_lifetime=server.worker_lifetime_s or None,
        workers_max_rss=server.worker_max_memory_mib or None,
        workers_kill_timeout=server.stop_timeout_s,
    )


def make_board(settings: Settings) -> Board:
    """Make what the workers of the server count on."""
    return Board(2 * settings.server.workers + _SPARE_PROCESSES)


def pid_file(settings: Settings, port: int | None = None) -> Path:
    """Give where a running server writes its process id; `port` is another one than is set."""
    return settings.data_dir / f"serve-{port or settings.server.port}.pid"


@contextlib.contextmanager
def pid_written(settings: Settings) -> Iterator[None]:
    """Keep the process id in its file; where that cannot be written, go on without it."""
    path = pid_file(settings)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{os.getpid()}\n")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _end_with_parent() -> None:
    """End this worker as SIGTERM does, once the server is gone that could stop it.

    A worker of a server that was killed would serve on, and nobody could start another there.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        signal.raise_signal(signal.SIGTERM)


def loading(load: Callable[[], Any]) -> Callable[[], Any]:
    """Give what a worker calls to get its app."""

    def load_in_worker() -> Any:  # noqa: ANN401  # whatever Granian calls
        # The workers inherit the parent's handlers, which swallow a SIGTERM that comes before the
        # event loop runs. With the default ones it ends the process, as it should.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(DRAIN_SIGNAL, signal.SIG_IGN)
        threading.Thread(target=_end_with_parent, daemon=True).start()
        app = load()
        # What is there now stays: the garbage collector need not look at it again and again. And
        # what a request makes goes with it, mostly without a cycle: 700 objects are soon made.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE)
        return app

    return load_in_worker
