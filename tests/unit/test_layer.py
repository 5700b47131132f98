"""The outermost layer around small apps that behave well and badly."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from litestar.types import HTTPScope, Receive, Scope, Send

from edge.http.arrival import TrustedProxies
from edge.http.body_stream import StreamLimits
from edge.http.context import context_of
from edge.http.cors import Cors, CorsPolicy
from edge.http.layer import OutermostLayer
from edge.http.rate_limits import RateLimits
from edge.http.reply import Completion
from edge.http.request_head import HeadLimits
from edge.http.security_headers import SecurityHeaders
from edge.ratelimit.policy import Policy
from edge.telemetry.counting import RequestCounts
from edge.telemetry.draining import Draining
from tests.support.limits import limits_while_away, no_limits
from tests.support.metrics import new_counts, new_metrics, values_in

PEER = "10.0.0.1"
APP = "https://app.test"
HOST = (b"host", b"edge.test")
GIVEN_ID = b"given-id-0123456789"

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Fields = list[tuple[bytes, bytes]]


class Exchange:
    """One request through the layer, and what came back."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []

    async def send(self, message: Any) -> None:  # noqa: ANN401  # any ASGI message
        self.messages.append(message)

    @property
    def status(self) -> int:
        starts = [m for m in self.messages if m["type"] == "http.response.start"]
        assert len(starts) == 1
        status: int = starts[0]["status"]
        return status

    @property
    def fields(self) -> Fields:
        return [pair for m in self.messages for pair in m.get("headers", [])]

    def field(self, name: bytes) -> bytes:
        (value,) = [value for field, value in self.fields if field == name]
        return value

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.messages)


async def no_receive() -> Any:  # noqa: ANN401  # any ASGI message
    raise AssertionError


async def exchange(
    app: App,
    headers: Fields | None = None,
    *,
    method: str = "GET",
    origins: tuple[str, ...] = (),
    result: Exchange | None = None,
    draining: Draining | None = None,
    counts: RequestCounts | None = None,
    limits: RateLimits | None = None,
    **scope: object,
) -> Exchange:
    result = result or Exchange()
    layer = OutermostLayer(
        app,
        proxies=TrustedProxies(["10.0.0.0/8"], ["x-forwarded-for", "x-forwarded-proto"]),
        head_limits=HeadLimits(),
        stream_limits=StreamLimits(),
        cors=Cors([CorsPolicy(origins=origins)]),
        completion=Completion(
            SecurityHeaders("max-age=1"), limits or no_limits(), draining or Draining()
        ),
        counts=counts or new_counts(),
    )
    result.scope = {
        "type": "http",
        "method": method,
        "path": "/somewhere",
        "headers": [HOST, *(headers or [])],
        "client": (PEER, 4711),
        **scope,
    }
    await layer(cast("HTTPScope", result.scope), no_receive, result.send)
    return result


def answering(status: int = 200, *headers: tuple[bytes, bytes]) -> App:
    """Give an app that answers so."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message: Any = {"type": "http.response.start", "status": status, "headers": list(headers)}
        await send(message)
        await send({"type": "http.response.body", "body": b"done", "more_body": False})

    return app


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail before the answer has begun, with something that nobody may read."""
    message = "a detail that must not leave"
    raise RuntimeError(message)


# The request id.


async def test_a_request_without_an_id_gets_one() -> None:
    """A fresh id goes in and out, 32 hexadecimal digits, another one each time."""
    one, other = await exchange(answering()), await exchange(answering())
    shown = one.field(b"x-request-id")
    assert re.fullmatch(rb"[0-9a-f]{32}", shown)
    assert context_of(one.scope).request_id == shown.decode()
    assert other.field(b"x-request-id") != shown


@pytest.mark.parametrize(
    "given",
    [
        GIVEN_ID,
        b"a" * 8,
        b"a" * 128,
        b"0190b1f6-7a3c-7e44-9a0b-1f2e3d4c5b6a",
        b"Az09._~-",
    ],
)
async def test_a_good_id_is_kept(given: bytes) -> None:
    """An id of 8 to 128 unreserved characters is the request's, in and out."""
    answer = await exchange(answering(), [(b"x-request-id", given)])
    assert answer.field(b"x-request-id") == given
    assert context_of(answer.scope).request_id == given.decode()


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"a" * 7,
        b"a" * 129,
        b"given id 0123",
        b"given-id\n0123",
        b"given-id-0123\n",
        b"given-id-\r\nX-Evil: 1",
        b"given-id-\x1b[31m",
        b"given-id-\x00",
        b"given-id-\xc3\xa9",
        b'given-id-"',
        b"given-id-/../..",
        b"given-id-${jndi}",
        b"given-id,given-id",
    ],
)
async def test_a_bad_id_is_replaced(given: bytes) -> None:
    """What is too short, too long or fit to inject with is not logged, but replaced."""
    answer = await exchange(answering(), [(b"x-request-id", given)])
    assert re.fullmatch(rb"[0-9a-f]{32}", answer.field(b"x-request-id"))
    assert context_of(answer.scope).request_id.encode() != given


@pytest.mark.parametrize("status", [200, 204, 302, 404, 405, 500])
async def test_every_answer_of_the_app_passes_with_its_id(status: int) -> None:
    """Status, fields and body are the app's, 404 too; the id is added."""
    app = answering(status, (b"x-own", b"1"))
    answer = await exchange(app, [(b"x-request-id", GIVEN_ID)])
    assert answer.status == status
    assert answer.fields[0] == (b"x-own", b"1")
    assert answer.field(b"x-request-id") == GIVEN_ID
    assert answer.field(b"x-content-type-options") == b"nosniff"
    assert answer.body == b"done"


async def test_the_answer_of_an_app_without_fields_gets_them_too() -> None:
    """An app may leave `headers` out of its answer (ASGI), as an app mounted beside ours may."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message: Any = {"type": "http.response.start", "status": 200}
        await send(message)

    answer = await exchange(app, [(b"x-request-id", GIVEN_ID)])
    assert answer.status == 200
    assert answer.field(b"x-request-id") == GIVEN_ID
    assert answer.field(b"x-content-type-options") == b"nosniff"


async def test_an_app_that_uses_a_message_twice_is_not_surprised() -> None:
    """The app's own list of fields is left as it was."""
    own: Fields = [(b"x-own", b"1")]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message: Any = {"type": "http.response.start", "status": 200, "headers": own}
        await send(message)

    await exchange(app)
    assert own == [(b"x-own", b"1")]


# The client's address.


@pytest.mark.parametrize(
    ("peer", "fields", "client"),
    [
        (PEER, [], PEER),
        (PEER, [b"198.51.100.1"], "198.51.100.1"),
        (PEER, [b"1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        (PEER, [b"198.51.100.1", b"10.0.0.2"], "198.51.100.1"),
        ("203.0.113.9", [b"198.51.100.1"], "203.0.113.9"),
        ("::ffff:10.0.0.1", [b"198.51.100.1:443"], "198.51.100.1"),
    ],
)
async def test_the_client_is_found_behind_trusted_proxies_only(
    peer: str, fields: list[bytes], client: str
) -> None:
    """`X-Forwarded-For` counts where the peer is trusted, all of its fields in order."""
    headers = [(b"x-forwarded-for", value) for value in fields]
    answer = await exchange(answering(), headers, client=(peer, 1))
    assert context_of(answer.scope).client_address == client


async def test_other_fields_about_the_client_count_for_nothing() -> None:
    """No other field that a client may send names the client."""
    names = (b"x-real-ip", b"forwarded", b"x_forwarded_for", b"cf-connecting-ip", b"true-client-ip")
    answer = await exchange(answering(), [(name, b"198.51.100.1") for name in names])
    assert context_of(answer.scope).client_address == PEER


@pytest.mark.parametrize(
    ("peer", "own", "scheme"), [(PEER, "http", "https"), ("203.0.113.9", "http", "http")]
)
async def test_scheme_and_host_are_found_with_the_client(peer: str, own: str, scheme: str) -> None:
    """The context has them, of the proxy where it is trusted and else of the connection."""
    headers = [(b"x-forwarded-proto", b"https")]
    answer = await exchange(answering(), headers, client=(peer, 1), scheme=own)
    context = context_of(answer.scope)
    assert (context.client_address, context.scheme) == (peer, scheme)
    assert context.host == "edge.test"
    names = {name for name, _ in answer.fields}
    assert (b"strict-transport-security" in names) is (scheme == "https")


async def test_a_peer_without_an_address_is_no_error() -> None:
    """Behind a Unix socket there is no address to tell."""
    answer = await exchange(answering(), client=None)
    assert context_of(answer.scope).client_address == ""


@pytest.mark.parametrize(
    ("path", "root_path", "known_as"),
    [
        ("/a/b", "", "/a/b"),
        ("/a/b/", "", "/a/b"),
        ("/", "", "/"),
        ("", "", "/"),
        ("/below/a/", "/below", "/a"),
        ("/below", "/below", "/"),
        ("/a/below/b", "/below", "/a/below/b"),
    ],
)
async def test_a_path_is_known_as_routing_takes_it(
    path: str, root_path: str, known_as: str
) -> None:
    """Without a slash at its end, and without where the app itself is mounted."""
    answer = await exchange(answering(), path=path, root_path=root_path)
    assert context_of(answer.scope).path == known_as


# Failures.


async def test_a_failure_before_the_answer_becomes_a_problem_document() -> None:
    """The client gets 500 with the id, and nothing of what went wrong."""
    answer = await exchange(failing, [(b"x-request-id", GIVEN_ID)], origins=(APP,))
    assert answer.status == 500
    assert answer.field(b"content-type") == b"application/problem+json"
    assert answer.field(b"cache-control") == b"no-store"
    assert answer.field(b"x-request-id") == GIVEN_ID
    assert answer.field(b"vary") == b"Origin"
    assert int(answer.field(b"content-length")) == len(answer.body)
    document = json.loads(answer.body)
    assert document == {
        "type": "urn:edge:problem:internal_error",
        "title": "Something went wrong here",
        "status": 500,
        "detail": "Something went wrong here.",
        "instance": f"urn:edge:request:{GIVEN_ID.decode()}",
        "code": "internal_error",
    }


async def test_a_failure_after_the_answer_began_is_raised() -> None:
    """Too late for another answer: the server has to cut the connection."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await failing(scope, receive, send)

    result = Exchange()
    with pytest.raises(RuntimeError, match="a detail"):
        await exchange(app, result=result)
    assert result.status == 200
    assert len(result.messages) == 1


async def test_a_client_that_left_is_no_failure() -> None:
    """Cancellation is passed on, not answered."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    result = Exchange()
    with pytest.raises(asyncio.CancelledError):
        await exchange(app, result=result)
    assert result.messages == []


@pytest.mark.parametrize("status", [204, 404])
async def test_an_answer_that_cannot_be_counted_is_given_all_the_same(status: int) -> None:
    """It says nothing that would be worth more than that, even where a policy says to refuse."""
    policy = Policy(name="all", limit=1, window_s=60, partition=("address",), on_outage="deny")
    answer = await exchange(answering(status), limits=limits_while_away(policy))
    assert answer.status == status
    assert answer.field(b"x-content-type-options") == b"nosniff"


# CORS.


def preflight(origin: str) -> Fields:
    asked = (b"access-control-request-method", b"POST")
    return [(b"origin", origin.encode()), asked, (b"x-request-id", GIVEN_ID)]


async def test_a_preflight_of_an_allowed_origin_is_answered_here() -> None:
    """The app is not asked: 204 without a body, and what the pages may do."""
    answer = await exchange(failing, preflight(APP), method="OPTIONS", origins=(APP,))
    assert (answer.status, answer.body) == (204, b"")
    assert answer.field(b"x-request-id") == GIVEN_ID
    assert answer.field(b"vary") == b"Origin"
    assert answer.field(b"access-control-allow-origin") == APP.encode()
    assert b"POST" in answer.field(b"access-control-allow-methods")
    assert b"content-length" not in {name for name, _ in answer.fields}


@pytest.mark.parametrize(
    ("origin", "origins"), [("https://evil.test", (APP,)), ("null", (APP,)), (APP, ())]
)
async def test_a_preflight_of_any_other_origin_is_refused(
    origin: str, origins: tuple[str, ...]
) -> None:
    """403 with a code and not a word of CORS, but for caches; also where no origin is allowed."""
    answer = await exchange(failing, preflight(origin), method="OPTIONS", origins=origins)
    assert answer.status == 403
    assert json.loads(answer.body)["code"] == "origin_refused"
    assert ((b"vary", b"Origin") in answer.fields) is bool(origins)
    assert not [name for name, _ in answer.fields if name.startswith(b"access-control-")]


@pytest.mark.parametrize(
    "headers",
    [[(b"origin", b"https://app.test")], [(b"access-control-request-method", b"POST")]],
)
async def test_an_options_request_that_is_no_preflight_reaches_the_app(headers: Fields) -> None:
    """Without an origin or a method asked for, OPTIONS is the app's to answer."""
    answer = await exchange(answering(405), headers, method="OPTIONS", origins=(APP,))
    assert answer.status == 405


@pytest.mark.parametrize("status", [200, 401, 404, 500])
async def test_every_answer_has_its_cors_fields(status: int) -> None:
    """Pages may read errors too."""
    headers = [(b"origin", APP.encode())]
    answer = await exchange(answering(status), headers, origins=(APP,))
    assert answer.field(b"access-control-allow-origin") == APP.encode()
    assert answer.field(b"vary") == b"Origin"


# Requests that are none.


@pytest.mark.parametrize(
    ("headers", "path", "status", "code"),
    [
        ([HOST], b"/", 400, "field_repeated"),
        ([], b"//", 400, "path_ambiguous"),
        ([], b"/" + b"a" * 8192, 414, "url_too_long"),
        ([(b"x-%d" % number, b"") for number in range(64)], b"/", 431, "too_many_fields"),
    ],
)
async def test_a_request_that_is_none_goes_no_further(
    headers: Fields, path: bytes, status: int, code: str
) -> None:
    """Nobody further in sees it, the answer is complete, and the connection ends with it."""
    given = [*headers, (b"x-request-id", GIVEN_ID)]
    answer = await exchange(failing, given, raw_path=path, http_version="1.1")
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
    assert answer.field(b"connection") == b"close"
    assert answer.field(b"x-request-id") == GIVEN_ID
    assert answer.field(b"x-content-type-options") == b"nosniff"


async def test_every_request_is_counted_once() -> None:
    """Whatever answers it, also the layer itself; what got no answer has the status none."""
    metrics = new_metrics()
    counts = RequestCounts(metrics, "route")
    preflight = [(b"origin", APP.encode()), (b"access-control-request-method", b"GET")]
    await exchange(answering(), counts=counts, path_template="/a/{b}")
    await exchange(answering(418), counts=counts)
    await exchange(failing, counts=counts)
    await exchange(failing, [HOST], counts=counts)
    await exchange(failing, preflight, method="OPTIONS", origins=(APP,), counts=counts)
    others = ("https://other.test",)
    await exchange(failing, preflight, method="OPTIONS", origins=others, counts=counts)
    with pytest.raises(asyncio.CancelledError):
        await exchange(leaving, counts=counts)
    shown = values_in(metrics.render())
    assert {name: value for name, value in shown.items() if "_requests_total" in name} == {
        'edge_http_requests_total{route="/a/{b}",status="200"}': 1,
        **{
            f'edge_http_requests_total{{route="unmatched",status="{status}"}}': 1
            for status in ("204", "400", "403", "418", "500", "none")
        },
    }
    assert {name: value for name, value in shown.items() if "_decisions_total{point" in name} == {
        f'edge_decisions_total{{point="route",outcome="refused",reason="{reason}"}}': 1
        for reason in ("internal_error", "field_repeated", "origin_refused")
    }


async def leaving(scope: Scope, receive: Receive, send: Send) -> None:
    """Be cancelled before anything was answered."""
    raise asyncio.CancelledError


async def test_a_preflight_that_is_no_request_goes_no_further() -> None:
    """What can be read in two ways is refused before anybody asks whose page it is."""
    answer = await exchange(
        failing, preflight(APP), method="OPTIONS", origins=(APP,), raw_path=b"//"
    )
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "path_ambiguous")


@pytest.mark.parametrize(("version", "closes"), [("1.1", True), ("2", False)])
async def test_a_server_that_drains_ends_connections_politely(
    version: str,
    closes: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """Each answer says that the next request should go elsewhere; only HTTP/1 can say so."""
    draining = Draining()
    before = await exchange(answering(), draining=draining, http_version=version)
    draining.begin()
    after = await exchange(answering(), draining=draining, http_version=version)
    assert (b"connection", b"close") not in before.fields
    assert ((b"connection", b"close") in after.fields) is closes
    refused = await exchange(failing, [HOST], draining=draining, http_version="1.1")
    assert refused.field(b"connection") == b"close"


async def test_http_2_ends_no_connection() -> None:
    """It has no `Connection` (RFC 9113 section 8.2.2), and one connection carries many requests."""
    answer = await exchange(failing, [HOST], http_version="2")
    assert answer.status == 400
    assert b"connection" not in {name for name, _ in answer.fields}


async def test_a_websocket_that_is_none_is_refused() -> None:
    """It is closed before it is accepted, which servers answer 403."""
    answer = await exchange(failing, [HOST], type="websocket")
    assert [message["type"] for message in answer.messages] == ["websocket.close"]


# Other scopes.


async def test_a_websocket_has_a_context_too() -> None:
    """A connection that is not HTTP goes through with its context and nothing added."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(context_of(scope).request_id)
        message: Any = {"type": "websocket.close", "code": 1000}
        await send(message)

    headers = [(b"x-request-id", GIVEN_ID)]
    answer = await exchange(app, headers, type="websocket", origins=(APP,))
    assert seen == [GIVEN_ID.decode()]
    assert answer.messages == [{"type": "websocket.close", "code": 1000}]


async def test_a_failure_of_a_websocket_is_raised() -> None:
    """There is no answer to give on a connection that is not HTTP."""
    with pytest.raises(RuntimeError, match="a detail"):
        await exchange(failing, type="websocket")


def test_a_request_around_the_layer_has_no_context() -> None:
    """Whoever asks for the context of a request that did not pass here is told so."""
    with pytest.raises(RuntimeError, match="outermost layer"):
        context_of({"type": "http"})
    with pytest.raises(RuntimeError, match="outermost layer"):
        context_of({"type": "http", "edge": {"request_id": "forged"}})
