"""Each load balancer with its file for Edge as an API."""

import base64
from collections.abc import Iterator

import pytest

from tests.support.balancers import Balancer, Kind, running_balancer
from tests.support.fleet import Fleet
from tests.support.raw_http import ask, asked, code_of, send_until_answered, take_answer

pytestmark = pytest.mark.server

TEN_MB = 10_000_000


@pytest.fixture(scope="module")
def balancer(kind: Kind, fleet: Fleet) -> Iterator[Balancer]:
    with running_balancer(kind, "api", fleet.ports) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "user", "status", "code", "challenge"),
    [
        (b"/admin-area", "root", 200, "", ""),
        (b"/admin-area", None, 401, "credentials_missing", 'Bearer realm="edge"'),
        (b"/admin-area", "anna", 403, "role_missing", ""),
        (b"/nowhere", "anna", 404, "not_found", ""),
        (b"/admin-area/%2e", "root", 400, "path_ambiguous", ""),
    ],
)
def test_edge_is_heard_as_it_speaks(
    balancer: Balancer,
    fleet: Fleet,
    path: bytes,
    user: str | None,
    status: int,
    code: str,
    challenge: str,
) -> None:
    """Statuses, challenges, documents and security headers come through unchanged."""
    answer = ask(balancer.port, path, [fleet.bearer(user)] if user else [])
    assert answer.status == status
    assert not code or code_of(answer) == code
    assert answer.fields.get("www-authenticate", "") == challenge
    assert answer.fields["cache-control"] == "no-store"
    assert answer.fields["x-content-type-options"] == "nosniff"


def test_a_password_comes_through(balancer: Balancer, fleet: Fleet) -> None:
    """A body that is sent, and a 401 that is Edge's own."""
    pair = base64.b64encode(b"anna:wrong-password").decode()
    answer = ask(balancer.port, b"/basic-protected", [f"Authorization: Basic {pair}"])
    assert (answer.status, code_of(answer)) == (401, "credentials_invalid")
    body = b'{"username": "anna", "password": "wrong-password"}'
    fields = ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    with asked(balancer.port, b"/login", fields, "POST") as connection:
        connection.sendall(body)
        answer = take_answer(connection)
    assert (answer.status, code_of(answer)) == (401, "credentials_invalid")


@pytest.mark.parametrize("framing", [f"Content-Length: {TEN_MB}", "Transfer-Encoding: chunked"])
def test_a_large_upload_is_refused_early(balancer: Balancer, framing: str) -> None:
    """413 before much of the body was sent."""
    fields = ["Content-Type: application/json", framing]
    with asked(balancer.port, b"/login", fields, "POST") as connection:
        is_chunked = "chunked" in framing
        send_until_answered(connection, is_chunked=is_chunked, most_bytes=TEN_MB // 10)
        answer = take_answer(connection)
    assert (answer.status, code_of(answer)) == (413, "body_too_large")


@pytest.mark.parametrize(
    "path",
    [
        b"/forward/nginx",
        b"/forward/haproxy",
        b"/forward/envoy/staff",
        b"/%66orward/nginx",
        b"/forward%2fnginx",
        b"//forward/nginx",
        b"/x/../forward/nginx",
    ],
)
def test_clients_do_not_ask_as_load_balancers_do(
    balancer: Balancer, fleet: Fleet, path: bytes
) -> None:
    """Edge trusts the balancer, which hands on no question of a client, however it is written."""
    said = ["X-Original-Method: GET", "X-Original-URL: http://edge.test/staff"]
    said += ["X-Forwarded-Method: GET", "X-Forwarded-Uri: /staff"]
    answer = ask(balancer.port, path, [fleet.bearer("root"), *said])
    assert answer.status in {400, 404}
    assert not any(name.startswith("x-auth-") for name in answer.fields)
