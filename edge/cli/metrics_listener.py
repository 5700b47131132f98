"""Where Prometheus scrapes: a listener of its own, in the process that starts the workers.

So metrics can be read while every worker is busy, hangs, or is gone.
"""

import os
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Final, Self

from edge.telemetry.exposition import MEDIA_TYPE

# A scrape takes milliseconds, and Prometheus gives one up after 10 s.
_TIMEOUT_S: Final = 10


class MetricsListener:
    """Answers `GET /metrics` at `bind`, a host and a port, with what `render` gives.

    Raises:
        OSError: it cannot be listened there.
    """

    def __init__(self, bind: str, render: Callable[[], str]) -> None:
        host, _, port = bind.rpartition(":")
        self._server = _server(host.strip("[]"), int(port), render)
        os.register_at_fork(after_in_child=self._server.socket.close)  # workers do not listen here

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True, name="metrics").start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _server(host: str, port: int, render: Callable[[], str]) -> ThreadingTCPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_S

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            body = render().encode("utf-8")
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", MEDIA_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def version_string(self) -> str:
            return "edge"

        def log_message(self, *_: object) -> None:
            """Scrapes are no news."""

    class Server(ThreadingTCPServer):  # that of http.server asks DNS for its own name
        allow_reuse_address = True
        daemon_threads = True
        address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]

    return Server((host, port), Handler)
