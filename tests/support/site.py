"""A small site on the loopback interface, for pages that call Edge from an origin of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.support.local_server import serving

_PAGE = b"<!doctype html><meta charset=utf-8><link rel=icon href=data:,><title>A page</title>"


class Site:
    """Answers at every name that is the loopback interface, so it is many origins at one port.

    `/redirect?to=URL` leads elsewhere, and lets every page follow; all else is an empty page.
    """

    def __init__(self, port: int) -> None:
        self._port = port

    def origin(self, name: str) -> str:
        """Give the origin at a name that browsers take for loopback, such as `app.localhost`."""
        return f"http://{name}:{self._port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        target = parse_qs(url.query).get("to", [""])[0]
        self.send_response(307 if target else 200)
        if target:
            self.send_header("Location", target)
            self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def site() -> Iterator[Site]:
    """Serve until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    with serving(server):
        yield Site(server.server_address[1])
