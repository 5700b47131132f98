"""A server that stands still for the last part of each period."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from tests.support.local_server import serving

PERIOD_S: Final = 4.0
FROZEN_S: Final = 1.2


@contextmanager
def freezing_server() -> Iterator[str]:
    """Serve until the end of the block; gives the URL."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Handler)) as url:
        yield url


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        left_s = PERIOD_S - time.perf_counter() % PERIOD_S
        if left_s < FROZEN_S:
            time.sleep(left_s)  # that is what it is for
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""
