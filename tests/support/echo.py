"""A service behind a load balancer, which answers what it was asked."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec


class Heard(msgspec.Struct, frozen=True):
    """A request as it came: target as sent, fields in their order and spelling."""

    method: str
    target: str
    fields: Sequence[tuple[str, str]]
    body_bytes: int

    def all_of(self, name: str) -> list[str]:
        """Give the values of a field, however often it came."""
        return [value for sent, value in self.fields if sent.lower() == name.lower()]


class Echo:
    """The service; `heard` are the requests that came through to it, `connections` how many."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port: int = server.server_address[1]
        self.heard: list[Heard] = []
        self.connections = 0


@contextmanager
def echo() -> Iterator[Echo]:
    """Serve until the end of the block."""

    class Handler(_Handler):
        @property
        def service(self) -> Echo:
            return service

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True  # connections that balancers keep open end with the tests
        service = Echo(server)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def service(self) -> Echo:
        raise NotImplementedError

    def setup(self) -> None:
        super().setup()
        self.service.connections += 1

    def handle(self) -> None:
        with suppress(ConnectionError):  # balancers that are stopped do not take leave
            super().handle()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        heard = Heard(self.command, self.path, self.headers.items(), len(body))
        self.service.heard.append(heard)
        answer = msgspec.json.encode(heard)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
