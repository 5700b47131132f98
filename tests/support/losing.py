"""A server of sessions that loses each third answer to a refresh; who comes back is a thief."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.support.local_server import serving

_LOSES_EVERY: Final = 3
_ACCOUNTS: Final = {"users": [{"username": "loadtest-0"}], "next_cursor": None}


@contextmanager
def losing_server() -> Iterator[str]:
    """Serve until the end of the block; gives the URL."""
    with serving(_Server(("127.0.0.1", 0), _Handler)) as url:
        yield url


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.numbers = itertools.count(1)
        self.used: set[str] = set()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(200, _ACCOUNTS)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = next(self.server.numbers)
        fresh = {"access_token": f"a{number}", "refresh_token": f"r{number}"}
        if self.path == "/login":
            self._answer(200, fresh)
            return
        is_replay = body["refresh_token"] in self.server.used
        self.server.used.add(body["refresh_token"])
        if is_replay:
            self._answer(401, {"code": "refresh_token_reused"})
        elif number % _LOSES_EVERY:
            self._answer(200, fresh)
        else:
            self.close_connection = True

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
