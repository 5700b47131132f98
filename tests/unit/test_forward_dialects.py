"""What load balancers say of the request they ask about, and how they are answered."""

from typing import Any

import pytest

from edge.http.forward.dialects import Asked, Dialect, as_understood, dialect_of, read_asked
from edge.http.plain_answers import PlainAnswer
from edge.reasons import Reason

ORDERS = Asked("POST", "shop.test", "/orders/1")


def read(dialect: Dialect, path: bytes = b"/", **fields: bytes) -> Asked | Reason:
    """Read the question; `x_forwarded_uri` stands for the field of that name."""
    named = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    scope: dict[str, Any] = {"method": "POST", "raw_path": b"/forward/" + dialect.encode() + path}
    return read_asked(dialect, scope, named)


def forwarded(method: bytes, host: bytes, uri: bytes) -> Asked | Reason:
    return read("traefik", x_forwarded_method=method, x_forwarded_host=host, x_forwarded_uri=uri)


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/forward/nginx", "nginx"),
        ("/forward/traefik", "traefik"),
        ("/forward/caddy", "caddy"),
        ("/forward/haproxy", "haproxy"),
        ("/forward/envoy", "envoy"),
        ("/forward/envoy/", "envoy"),
        ("/forward/envoy/orders/1", "envoy"),
        ("/forward/nginx/", None),
        ("/forward/nginx/x", None),
        ("/forward/envoyx", None),
        ("/forward/", None),
        ("/forward/apache", None),
    ],
)
def test_a_dialect_is_named_by_the_path(path: str, dialect: str | None) -> None:
    """Only Envoy puts a path behind it."""
    assert dialect_of(path) == dialect


def test_each_dialect_says_it_in_its_own_way() -> None:
    """As their manuals say, and as they really send it."""
    assert (
        read("nginx", x_original_method=b"POST", x_original_url=b"https://shop.test/orders/1?a=b")
        == ORDERS
    )
    assert forwarded(b"POST", b"shop.test", b"/orders/1?a=b") == ORDERS
    assert read("envoy", b"/orders/1", host=b"shop.test") == ORDERS
    assert read("envoy", b"", host=b"shop.test") == Asked("POST", "shop.test", "/")


@pytest.mark.parametrize("dialect", ["nginx", "traefik", "caddy", "haproxy"])
def test_a_field_of_another_dialect_says_nothing(dialect: Dialect) -> None:
    """A proxy overwrites the fields it writes, and hands on a client's of all other names."""
    fields = {
        "x_original_method": b"GET",
        "x_original_url": b"https://shop.test/public",
        "x_forwarded_method": b"POST",
        "x_forwarded_host": b"shop.test",
        "x_forwarded_uri": b"/orders/1",
        "x_original_uri": b"/public",
        "x_rewrite_url": b"/public",
    }
    expected = Asked("GET", "shop.test", "/public") if dialect == "nginx" else ORDERS
    assert read(dialect, **fields) == expected


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"Shop.Test", "shop.test"),
        (b"shop.test:8443", "shop.test"),
        (b"[2001:db8::1]:8443", "[2001:db8::1]"),
        (b"[2001:db8::1]", "[2001:db8::1]"),
    ],
)
def test_a_host_is_lower_case_and_has_no_port(host: bytes, name: str) -> None:
    """Rules are about services, whatever port they are reached at."""
    assert forwarded(b"GET", host, b"/") == Asked("GET", name, "/")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (b"/", "/"),
        (b"/a?b=//../%2e", "/a"),
        (b"/caf%C3%A9", "/caf\u00e9"),
        (b"/a%20b", "/a b"),
        (b"/a:b@c", "/a:b@c"),
    ],
)
def test_a_path_is_decoded_once_and_has_no_query(uri: bytes, path: str) -> None:
    """As the service will understand it, and there is one way to."""
    assert forwarded(b"GET", b"shop.test", uri) == Asked("GET", "shop.test", path)


@pytest.mark.parametrize(
    "uri",
    [
        b"//admin",
        b"/public/../admin",
        b"/public/..;/admin",
        b"/public/%2e%2e/admin",
        b"/public%2f..%2fadmin",
        b"/%61dmin",
        b"/admin;x=1",
        b"/admin#x",
        b"/admin%00",
        b"/admin%ff",
        b"/admin%252f",
        b"/a\\b",
        "/caf\u00e9".encode(),
        b"admin",
        b"http://shop.test/admin",
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_none(uri: bytes) -> None:
    """Whatever the rule would say of the one, the service might take it for the other."""
    assert forwarded(b"GET", b"shop.test", uri) is Reason.PATH_AMBIGUOUS
    if uri.startswith(b"/"):
        url = b"https://shop.test" + uri
        assert read("nginx", x_original_method=b"GET", x_original_url=url) in {
            Reason.PATH_AMBIGUOUS,
            Reason.HOST_INVALID,
        }
        assert read("envoy", uri, host=b"shop.test") is Reason.PATH_AMBIGUOUS


@pytest.mark.parametrize(
    ("method", "host", "uri", "reason"),
    [
        (b"", b"shop.test", b"/", Reason.FORWARD_INCOMPLETE),
        (b"get", b"shop.test", b"/", Reason.FORWARD_INCOMPLETE),
        (b"GET ", b"shop.test", b"/", Reason.FORWARD_INCOMPLETE),
        (b"GET, POST", b"shop.test", b"/", Reason.FORWARD_INCOMPLETE),
        (b"GET", b"", b"/", Reason.FORWARD_INCOMPLETE),
        (b"GET", b"shop.test", b"", Reason.FORWARD_INCOMPLETE),
        (b"GET", b"shop.test, evil.test", b"/", Reason.HOST_INVALID),
        (b"GET", b"shop.test/x", b"/", Reason.HOST_INVALID),
        (b"GET", b"user@shop.test", b"/", Reason.HOST_INVALID),
    ],
)
def test_a_question_that_is_none_is_refused(
    method: bytes, host: bytes, uri: bytes, reason: Reason
) -> None:
    """Where it is not clear what is asked about, nothing is let through."""
    assert forwarded(method, host, uri) is reason


@pytest.mark.parametrize(
    "url", [b"", b"/orders", b"shop.test/orders", b"ftp://shop.test/", b"https://shop.test"]
)
def test_nginx_has_to_say_a_whole_url(url: bytes) -> None:
    """`$scheme://$http_host$request_uri`."""
    found = read("nginx", x_original_method=b"GET", x_original_url=url)
    assert found is Reason.FORWARD_INCOMPLETE


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_nginx_is_answered_what_it_understands(status: int) -> None:
    """401 and 403 as they are, all else as 403; what the client is to be told stands beside it."""
    answer = PlainAnswer(status, [(b"retry-after", b"3")], b"{}")
    told = as_understood("nginx", answer)
    assert told.status == (401 if status == 401 else 403)
    assert dict(told.fields) == {
        b"retry-after": b"3",
        b"x-edge-status": b"%d" % status,
        b"x-edge-problem": b"{}",
    }
    assert told.body == b"{}"
    assert as_understood("traefik", answer) == answer
