"""Each load balancer with its file for forward-auth: two replicas of Edge decide for a service."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import product

import msgspec
import pytest

from tests.support.balancers import Balancer, Kind, running_balancer
from tests.support.echo import Echo, Heard
from tests.support.fleet import MANY_ROLES, Fleet
from tests.support.ports import free_port
from tests.support.raw_http import RawAnswer, ask, asked, code_of, send_until_answered, take_answer

pytestmark = pytest.mark.server

IDENTITY = ("Subject", "User", "Roles", "Scopes", "Method", "Assertion")
TEN_MB = 10_000_000
# Edge is waited for for 6 s, longer than it waits for its own stores.
PATIENCE_S = 9


@pytest.fixture(scope="module")
def balancer(kind: Kind, fleet: Fleet, service: Echo) -> Iterator[Balancer]:
    with running_balancer(kind, "forward-auth", fleet.ports, service.port) as running:
        yield running


def heard_by_service(answer: RawAnswer) -> Heard:
    assert answer.status == 200, answer
    return msgspec.json.decode(answer.body, type=Heard)


def identity(heard: Heard) -> dict[str, str]:
    """Give what the service is told; a field that is missing or empty says nothing."""
    values = {name: heard.all_of(f"X-Auth-{name}") for name in IDENTITY}
    assert all(len(found) <= 1 for found in values.values()), values
    return {name: found[0] for name, found in values.items() if found and found[0]}


def test_who_may_goes_on_and_is_named(balancer: Balancer, fleet: Fleet) -> None:
    """The service gets the request as it was sent, and who is asking."""
    fields = [fleet.bearer("root"), "X-Own: 1"]
    heard = heard_by_service(ask(balancer.port, b"/staff?a=b%20c", fields))
    assert (heard.method, heard.target) == ("GET", "/staff?a=b%20c")
    assert heard.all_of("X-Own") == ["1"]
    told = identity(heard)
    assert told.pop("Subject")
    assert told == {
        "User": "root",
        "Roles": "admin",
        "Scopes": "admin,moderate,profile",
        "Method": "bearer",
    }


def test_a_body_goes_to_the_service_alone(balancer: Balancer, fleet: Fleet) -> None:
    """Edge is asked about the method of the request, and not sent its body."""
    fields = [fleet.bearer("root"), "Content-Length: 5"]
    with asked(balancer.port, b"/staff", fields, "POST") as connection:
        connection.sendall(b"hello")
        heard = heard_by_service(take_answer(connection))
    assert (heard.method, heard.body_bytes) == ("POST", 5)
    assert identity(heard)["User"] == "root"


@pytest.mark.parametrize(
    ("path", "user", "status", "reason", "challenge"),
    [
        (b"/staff", None, 401, "credentials_missing", 'Bearer realm="edge"'),
        (b"/staff", "anna", 403, "role_missing", ""),
        (
            b"/reports",
            "anna",
            403,
            "insufficient_scope",
            'Bearer realm="edge", error="insufficient_scope", scope="admin"',
        ),
        (b"/staff;x=1", "root", 400, "path_ambiguous", ""),
    ],
)
def test_who_may_not_is_told_why(
    balancer: Balancer,
    fleet: Fleet,
    path: bytes,
    user: str | None,
    status: int,
    reason: str,
    challenge: str,
) -> None:
    """As by Edge itself: the status, the challenge, once, and the problem document."""
    answer = ask(balancer.port, path, [fleet.bearer(user)] if user else [])
    assert (answer.status, code_of(answer)) == (status, reason)
    assert answer.fields.get("www-authenticate", "") == challenge
    assert answer.fields["cache-control"] == "no-store"


def test_a_bad_token_is_challenged_for_a_better_one(balancer: Balancer) -> None:
    """Clients go by `error` when they decide to refresh (RFC 6750 section 3.1)."""
    answer = ask(balancer.port, b"/staff", ["Authorization: Bearer a.b.c"])
    assert (answer.status, code_of(answer)) == (401, "token_malformed")
    assert answer.fields["www-authenticate"] == 'Bearer realm="edge", error="invalid_token"'


@pytest.mark.parametrize(
    "path", [b"//staff", b"/open/../staff", b"/open/%2e%2e/staff", b"/open/..%2fstaff", b"/staff\\"]
)
def test_a_path_that_can_be_read_in_two_ways_goes_nowhere(
    balancer: Balancer, service: Echo, path: bytes
) -> None:
    """Neither does a public rule cover it, nor does the service see it."""
    before = len(service.heard)
    assert ask(balancer.port, path).status == 400
    assert len(service.heard) == before


def test_what_is_encoded_without_need_is_seen_in_one_way(balancer: Balancer, service: Echo) -> None:
    """Edge refuses it, unless the balancer has decoded it, for Edge and the service."""
    before = len(service.heard)
    status = ask(balancer.port, b"/open/%61").status
    targets = [heard.target for heard in service.heard[before:]]
    assert (status, targets) in ((400, []), (200, ["/open/a"]))


def test_the_service_sees_the_client_as_it_came(balancer: Balancer, client: str) -> None:
    """And nothing that it said of itself."""
    sent = [
        "X-Forwarded-For: 6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        "Forwarded: for=6.6.6.6",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.test",
    ]
    heard = heard_by_service(ask(balancer.port, b"/livez", sent, client=client))
    assert heard.all_of("X-Forwarded-For") == [client]
    assert heard.all_of("X-Forwarded-Proto") == ["http"]
    assert heard.all_of("X-Forwarded-Host") in ([], ["edge.test"])
    assert heard.all_of("Host") == ["edge.test"]
    assert not any("6.6.6.6" in value or "evil" in value for _, value in heard.fields)


def spellings(name: str) -> Iterator[str]:
    words = ["X", "Auth", name]
    for first, second in product("-_.", repeat=2):
        spelling = f"{words[0]}{first}{words[1]}{second}{words[2]}"
        yield from (spelling, spelling.lower(), spelling.upper())


@pytest.mark.parametrize("name", IDENTITY)
def test_a_client_cannot_say_who_it_is(
    balancer: Balancer, fleet: Fleet, service: Echo, name: str
) -> None:
    """However the field is written, and however often: 400, or the service does not see it.

    Some balancers take out fields with `_` or `.`; Edge refuses all that it is told of.
    """
    tried = [*([spelling] for spelling in spellings(name)), [f"X-Auth-{name}"] * 2]
    for path, user in ((b"/livez", None), (b"/staff", "root")):
        for names in [*tried, list(spellings(name))]:
            before = len(service.heard)
            fields = [f"{spelling}: evil" for spelling in names]
            answer = ask(balancer.port, path, [*fields, *([fleet.bearer(user)] if user else [])])
            assert answer.status in {200, 400}
            if {spelling.title() for spelling in names} == {f"X-Auth-{name}"}:
                assert code_of(answer) == "identity_field_sent"
            for heard in service.heard[before:]:
                assert not any("evil" in value for _, value in heard.fields), names


def test_the_largest_identity_comes_through(balancer: Balancer, fleet: Fleet) -> None:
    """Nearly 4 KiB of fields, of which no role is lost."""
    told = identity(heard_by_service(ask(balancer.port, b"/any", [fleet.bearer("many")])))
    assert told["Roles"].split(",") == list(MANY_ROLES)


def test_who_sends_too_many_fields_is_told(balancer: Balancer, fleet: Fleet, service: Echo) -> None:
    """It is no outage: nobody is told to come back."""
    before = len(service.heard)
    fields = [fleet.bearer("root"), *(f"X-Field-{number}: 1" for number in range(120))]
    answer = ask(balancer.port, b"/staff", fields)
    assert answer.status in {400, 431}
    assert "retry-after" not in answer.fields
    assert len(service.heard) == before


@pytest.mark.parametrize("framing", [f"Content-Length: {TEN_MB}", "Transfer-Encoding: chunked"])
def test_a_large_upload_is_refused_early(balancer: Balancer, service: Echo, framing: str) -> None:
    """Who may not is told before much of the body was sent, and the service never hears of it."""
    before = len(service.heard)
    with asked(balancer.port, b"/staff", [framing], "POST") as connection:
        is_chunked = "chunked" in framing
        send_until_answered(connection, is_chunked=is_chunked, most_bytes=TEN_MB // 10)
        answer = take_answer(connection)
    assert answer.status in {401, 413}
    assert len(service.heard) == before


def test_an_edge_that_says_nothing_is_not_waited_for(kind: Kind, service: Echo) -> None:
    """It accepts connections and hangs: 503 after some seconds."""
    before = len(service.heard)
    with (
        silent() as first,
        silent() as second,
        running_balancer(kind, "forward-auth", (first, second), service.port) as waiting,
    ):
        started = time.perf_counter()
        answer = ask(waiting.port, b"/livez")
        assert time.perf_counter() - started < PATIENCE_S
        assert answer.status == 503
        assert not kind.can_be_told or code_of(answer) == "edge_unavailable"
    assert len(service.heard) == before


@contextmanager
def silent() -> Iterator[int]:
    """Give a port at which connections are accepted, and nothing is answered."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def test_a_service_that_is_away_is_no_fault_of_edge(kind: Kind, fleet: Fleet) -> None:
    """Whoever is called at night should look in the right place."""
    with running_balancer(kind, "forward-auth", fleet.ports, free_port()) as running:
        answer = ask(running.port, b"/livez")
        assert answer.status in {502, 503}
        assert b"edge_unavailable" not in answer.body
        assert ask(running.port, b"/staff").status == 401


def test_a_client_takes_out_nothing_by_naming_it(balancer: Balancer, fleet: Fleet) -> None:
    """What `Connection` names is for the next hop alone (RFC 9110 section 7.6.1): not who asks."""
    named = [f"X-Auth-{name}" for name in IDENTITY]
    fields = [fleet.bearer("root"), f"Connection: {', '.join(named)}"]
    heard = heard_by_service(ask(balancer.port, b"/staff", fields))
    assert identity(heard)["User"] == "root"
    assert not any("auth" in value.lower() for value in heard.all_of("Connection"))


def test_a_host_is_one_or_none(balancer: Balancer, service: Echo) -> None:
    """Of a list, Edge would decide about one name and the service see all."""
    before = len(service.heard)
    for host in (b"edge.test,evil.test", b"evil.test, edge.test"):
        request = b"GET /livez HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host
        with socket.create_connection(("127.0.0.1", balancer.port), timeout=10) as connection:
            connection.sendall(request)
            assert take_answer(connection).status == 400
    assert len(service.heard) == before


def test_no_other_protocol_gets_past_edge(balancer: Balancer) -> None:
    """What a client sends after an upgrade to h2c, nobody would ask about."""
    fields = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Connection: Upgrade, HTTP2-Settings"]
    heard = heard_by_service(ask(balancer.port, b"/livez", fields))
    assert heard.all_of("Upgrade") == []


# nginx empties Connection, and Envoy passes no upgrade that it is not told of.
PASS_WEBSOCKETS = frozenset({"haproxy", "caddy", "traefik"})


def test_a_websocket_is_asked_about(balancer: Balancer, fleet: Fleet, service: Echo) -> None:
    """The service hears of one only from who may, and as one where the balancer passes them."""
    before = len(service.heard)
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    upgrade.append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # RFC 6455 section 1.3
    with asked(balancer.port, b"/staff", upgrade) as connection:
        assert take_answer(connection).status in {401, 403}
    assert len(service.heard) == before
    with asked(balancer.port, b"/staff", [fleet.bearer("root"), *upgrade]) as connection:
        answer = take_answer(connection)
    if balancer.kind.name in PASS_WEBSOCKETS:
        heard = heard_by_service(answer)
        assert heard.all_of("Upgrade") == ["websocket"]
        assert heard.all_of("Connection") == ["Upgrade"]
    else:
        assert all(heard.all_of("Upgrade") == [] for heard in service.heard[before:])
