"""What the outermost layer adds to a request, beside the same app of Litestar without it.

    python -m benchmarks.outermost_layer

Requests go straight into the ASGI app, without a server: one loop turn each, in turns with the bare
app. `bare` is Litestar with one small handler, `layer` the same within the layer (no rate limits),
`added` the median of the differences.
"""

import asyncio
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
from litestar import Litestar, get, post
from litestar.params import JSONBody
from litestar.types import ASGIApp, Scope

from edge.http.arrival import TrustedProxies
from edge.http.body_stream import StreamLimits
from edge.http.cors import Cors, CorsPolicy
from edge.http.layer import OutermostLayer
from edge.http.rate_limits import RateLimits
from edge.http.reply import Completion
from edge.http.request_head import HeadLimits
from edge.http.security_headers import SecurityHeaders
from edge.ratelimit.limiter import Limiter
from edge.ratelimit.memory import MemoryWindows
from edge.telemetry.counting import RequestCounts
from edge.telemetry.draining import Draining
from edge.telemetry.limits import LimitCounts
from edge.telemetry.metrics import Metrics

_ROUNDS: Final = 61
_REQUESTS_A_TURN: Final = 100
_US: Final = 1_000_000
_APP: Final = b"https://app.test"

Fields = tuple[tuple[bytes, bytes], ...]

# What curl, browsers and load balancers send.
_USUAL: Final[Fields] = (
    (b"host", b"edge.test"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64)"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"en"),
    (b"authorization", b"Bearer " + b"x" * 600),
    (b"x-forwarded-for", b"198.51.100.7"),
    (b"x-forwarded-proto", b"https"),
    (b"x-request-id", b"0190b1f6-7a3c-7e44-9a0b-1f2e3d4c5b6a"),
)


class Greeting(msgspec.Struct):
    """A small body."""

    name: str


@get("/hello", sync_to_thread=False)
def hello() -> dict[str, str]:
    """Answer a little JSON."""
    return {"hello": "you"}


@post("/hello", sync_to_thread=False)
def greet(data: JSONBody[Greeting]) -> dict[str, str]:
    """Take a little JSON."""
    return {"hello": data.name}


class Exchange(msgspec.Struct, frozen=True):
    """A request, and the status of its answer."""

    name: str
    status: int
    method: str = "GET"
    path: str = "/hello"
    fields: Fields = _USUAL
    body: bytes = b""

    async def run(self, app: ASGIApp) -> int:
        """Send it, and give the status of the answer."""
        status = 0

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]

        await app(cast("Scope", self._scope()), cast("Any", receive), cast("Any", send))
        return status

    def _scope(self) -> dict[str, object]:
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "headers": list(self.fields),
            "client": ("10.0.0.1", 4711),
            "server": ("10.0.0.2", 8000),
        }


_BODY: Final = b'{"name": "you"}'
_OF_BODY: Final[Fields] = (
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(_BODY)),
)
_ASKING: Final[Fields] = ((b"origin", _APP), (b"access-control-request-method", b"POST"))
EXCHANGES: Final = [
    Exchange("GET", 200),
    Exchange("GET from a page", 200, fields=(*_USUAL, (b"origin", _APP))),
    Exchange("POST", 201, "POST", fields=(*_USUAL, *_OF_BODY), body=_BODY),
    Exchange("404", 404, path="/nowhere"),
    Exchange("preflight", 204, "OPTIONS", fields=(*_USUAL, *_ASKING)),
]


def layer_around(app: ASGIApp) -> OutermostLayer:
    """Put the layer around an app, as the service does."""
    metrics = Metrics(time.monotonic)
    windows = MemoryWindows(lambda: 0)
    limiter = Limiter(windows, windows, clock=time.monotonic, watcher=LimitCounts(metrics))
    return OutermostLayer(
        app,
        proxies=TrustedProxies(["10.0.0.0/8"], ["x-forwarded-for", "x-forwarded-proto"]),
        head_limits=HeadLimits(),
        stream_limits=StreamLimits(),
        cors=Cors([CorsPolicy(origins=(_APP.decode(),))]),
        completion=Completion(
            SecurityHeaders("max-age=63072000; includeSubDomains"),
            RateLimits(limiter, [], legacy=False),
            Draining(),
        ),
        counts=RequestCounts(metrics, "route"),
    )


async def measure() -> None:
    """Print the table."""
    bare, layered = (Litestar([hello, greet], openapi_config=None) for _ in range(2))
    layered.asgi_handler = layer_around(layered.asgi_handler)
    print(f"Python {platform.python_version()}, {platform.machine()}, {_ROUNDS} rounds")
    print(f"{'us a request':20}{'bare':>10}{'layer':>10}{'added':>10}{'ratio':>8}")
    for exchange in EXCHANGES:
        status = await exchange.run(layered)
        if status != exchange.status:
            message = f"{exchange.name} was answered {status}"
            raise RuntimeError(message)
        pairs = [
            (await _turn(exchange, bare), await _turn(exchange, layered)) for _ in range(_ROUNDS)
        ]
        _print_row(exchange.name, pairs)


async def _turn(exchange: Exchange, app: ASGIApp) -> float:
    started = time.perf_counter()
    for _ in range(_REQUESTS_A_TURN):
        await exchange.run(app)
    return (time.perf_counter() - started) / _REQUESTS_A_TURN


def _print_row(name: str, pairs: Sequence[tuple[float, float]]) -> None:
    bare, layer = (statistics.median(times) * _US for times in zip(*pairs, strict=True))
    added = statistics.median(within - without for without, within in pairs) * _US
    print(f"{name:20}{bare:10.2f}{layer:10.2f}{added:+10.2f}{layer / bare:8.2f}")


if __name__ == "__main__":
    sys.exit(asyncio.run(measure()))
