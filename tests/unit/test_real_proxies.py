"""What proxies really send, and whom Edge takes for the client.

Recorded from the versions named, or as manuals and sources say; only the addresses are others.
In each the client at 198.51.100.7 has sent `X-Forwarded-For: 6.6.6.6` and more of that kind.
"""

import pytest

from edge.http.arrival import Arrival
from tests.support.arrivals import FORWARDED, arrival

Fields = list[tuple[str, bytes]]

CLIENT = "198.51.100.7"
CLIENT_6 = "2001:db8::7"
PEER = "10.0.0.1"
OURS = ("10.0.0.0/8",)
# The front ends of Google's balancers, and the address that the balancer itself is reached at.
GOOGLE = ("35.191.0.0/16", "130.211.0.0/22")
BALANCER = "203.0.113.80/32"
CLOUDFLARE = ("173.245.48.0/20", "2400:cb00::/32")

BELIEVED = ("x-forwarded-for", "x-forwarded-proto")
WITH_HOST = (*BELIEVED, "x-forwarded-host")
HOST = ("host", b"edge.test")
# What nginx, HAProxy and Envoy hand on of a client unless they are told otherwise.
PASSED_ON: Fields = [("x-forwarded-host", b"evil.test"), ("forwarded", b"for=6.6.6.6;proto=https")]


def fields(**named: bytes) -> Fields:
    return [HOST, *((name.replace("_", "-"), value) for name, value in named.items())]


AWS = [
    # Application Load Balancer, routing.http.xff_header_processing.mode = append, the default.
    (fields(x_forwarded_for=b"198.51.100.7", x_forwarded_proto=b"https"), CLIENT, "https"),
    (fields(x_forwarded_for=b"6.6.6.6, 198.51.100.7", x_forwarded_proto=b"http"), CLIENT, "http"),
    (fields(x_forwarded_for=b"2001:DB8::7", x_forwarded_proto=b"https"), CLIENT_6, "https"),
    # The same with routing.http.xff_client_port.enabled.
    (fields(x_forwarded_for=b"6.6.6.6, 198.51.100.7:51544"), CLIENT, "http"),
    (fields(x_forwarded_for=b"[2001:DB8::7]:51544"), CLIENT_6, "http"),
    # remove: nothing tells the clients apart.
    (fields(x_forwarded_proto=b"https", x_forwarded_port=b"443"), PEER, "https"),
]

AZURE = [
    # Application Gateway: a list of ip:port, with x-forwarded-port and x-original-host.
    (
        fields(
            x_forwarded_for=b"198.51.100.7:51544",
            x_forwarded_proto=b"https",
            x_original_host=b"a.test",
        ),
        CLIENT,
        "https",
    ),
    (fields(x_forwarded_for=b"6.6.6.6, 198.51.100.7:51544"), CLIENT, "http"),
    (fields(x_forwarded_for=b"6.6.6.6:80,[2001:db8::7]:51544"), CLIENT_6, "http"),
    # Front Door: it appends the socket's address, and overwrites scheme and host.
    (
        fields(
            x_forwarded_for=b"6.6.6.6, 198.51.100.7",
            x_forwarded_proto=b"https",
            x_azure_clientip=b"6.6.6.6",
            x_azure_socketip=b"198.51.100.7",
        ),
        CLIENT,
        "https",
    ),
]

NGINX = [
    # 1.22.1 with $proxy_add_x_forwarded_for and $scheme.
    (
        [*fields(x_forwarded_for=b"198.51.100.7", x_forwarded_proto=b"https"), *PASSED_ON],
        CLIENT,
        "https",
    ),
    (
        [*fields(x_forwarded_for=b"6.6.6.6, 198.51.100.7", x_forwarded_proto=b"http"), *PASSED_ON],
        CLIENT,
        "http",
    ),
    (
        [*fields(x_forwarded_for=b"6.6.6.6, 2001:db8::7", x_forwarded_proto=b"http"), *PASSED_ON],
        CLIENT_6,
        "http",
    ),
    # Without any proxy_set_header: it writes nothing, and so everybody has its address.
    ([("host", b"edge.test"), *PASSED_ON], PEER, "http"),
]

HAPROXY = [
    # 2.6.12 with `option forwardfor`: a field of its own after those of the client.
    (
        [HOST, ("x-forwarded-for", b"6.6.6.6"), ("x-forwarded-for", b"198.51.100.7"), *PASSED_ON],
        CLIENT,
        "http",
    ),
    (
        [
            HOST,
            ("x-forwarded-for", b"6.6.6.6, 7.7.7.7"),
            ("x-forwarded-for", b"8.8.8.8"),
            ("x-forwarded-for", b"198.51.100.7"),
            ("x-forwarded-proto", b"https"),
        ],
        CLIENT,
        "https",
    ),
    # With `http-request set-header X-Forwarded-For %[src]`.
    (fields(x_forwarded_for=b"2001:db8::7"), CLIENT_6, "http"),
]

ENVOY = [
    # 1.40.0 with use_remote_address: true.
    ([*fields(x_forwarded_for=b"198.51.100.7", x_forwarded_proto=b"https")], CLIENT, "https"),
    (
        [*fields(x_forwarded_for=b"6.6.6.6,198.51.100.7", x_forwarded_proto=b"http"), *PASSED_ON],
        CLIENT,
        "http",
    ),
]

TRAEFIK = [
    # v3 (pkg/middlewares/forwardedheaders): what clients sent is removed first.
    (
        fields(
            x_forwarded_for=b"198.51.100.7",
            x_forwarded_proto=b"https",
            x_forwarded_port=b"443",
            x_forwarded_host=b"edge.test",
            x_forwarded_server=b"9f1d",
            x_real_ip=b"198.51.100.7",
        ),
        CLIENT,
        "https",
    ),
    (fields(x_forwarded_for=b"198.51.100.7", x_forwarded_proto=b"wss"), CLIENT, "https"),
]


@pytest.mark.parametrize(
    ("sent", "client", "scheme"), [*AWS, *AZURE, *NGINX, *HAPROXY, *ENVOY, *TRAEFIK]
)
def test_the_client_is_found_behind_every_proxy(sent: Fields, client: str, scheme: str) -> None:
    """With the default fields, and whatever the client has sent of its own."""
    found = arrival(PEER, sent, trusted=OURS, believed=BELIEVED)
    assert found == Arrival(client, scheme, "edge.test", is_from_proxy=True)


@pytest.mark.parametrize("sent", [sent for sent, _, _ in [*AWS, *AZURE, *NGINX, *HAPROXY, *ENVOY]])
def test_a_proxy_that_is_not_named_is_the_client(sent: Fields) -> None:
    """The same requests, from a peer that nobody trusts."""
    found = arrival("203.0.113.9", sent, trusted=OURS, believed=WITH_HOST)
    assert found == Arrival("203.0.113.9", "http", "edge.test", is_from_proxy=False)


@pytest.mark.parametrize(
    ("trusted", "client"),
    [((*GOOGLE, BALANCER), CLIENT), (GOOGLE, "203.0.113.80"), ((BALANCER,), "35.191.0.9")],
)
@pytest.mark.parametrize("written", [b"", b"6.6.6.6,", b"6.6.6.6, 10.0.0.9,"])
def test_google_appends_itself_too(trusted: tuple[str, ...], client: str, written: bytes) -> None:
    """`<client>,<balancer>`: both its front ends and its own address have to be trusted."""
    sent = fields(
        x_forwarded_for=written + b"198.51.100.7,203.0.113.80", x_forwarded_proto=b"https"
    )
    assert arrival("35.191.0.9", sent, trusted=trusted).client_address == client


@pytest.mark.parametrize(
    ("peer", "trusted", "value", "client"),
    [
        ("173.245.48.9", CLOUDFLARE, b"198.51.100.7", CLIENT),
        ("173.245.48.9", CLOUDFLARE, b"6.6.6.6,198.51.100.7", CLIENT),
        ("2400:cb00::9", CLOUDFLARE, b"6.6.6.6,2001:db8::7", CLIENT_6),
        # With nginx between the two.
        (PEER, (*OURS, *CLOUDFLARE), b"6.6.6.6,198.51.100.7, 173.245.48.9", CLIENT),
        (PEER, OURS, b"6.6.6.6,198.51.100.7, 173.245.48.9", "173.245.48.9"),
        # A client that goes past Cloudflare and sends its fields itself.
        (PEER, (*OURS, *CLOUDFLARE), b"6.6.6.6, 198.51.100.7", CLIENT),
        (CLIENT, CLOUDFLARE, b"6.6.6.6", CLIENT),
    ],
)
def test_cloudflare_is_a_proxy_like_the_others(
    peer: str, trusted: tuple[str, ...], value: bytes, client: str
) -> None:
    """Its `CF-Connecting-IP` is never believed, whoever sends it: X-Forwarded-For says it too."""
    sent = fields(
        x_forwarded_for=value,
        x_forwarded_proto=b"https",
        cf_connecting_ip=b"6.6.6.6",
        true_client_ip=b"6.6.6.6",
    )
    assert arrival(peer, sent, trusted=trusted, believed=BELIEVED).client_address == client


@pytest.mark.parametrize(
    ("sent", "host"),
    [
        # Front Door overwrites it, Traefik removes that of clients, nginx with $host.
        (b"shop.example.com", "shop.example.com"),
        (b"edge.test:8443", "edge.test:8443"),
        # Envoy 1.40.0 with append_x_forwarded_host, and Apache.
        (b"evil.test,shop.example.com", "shop.example.com"),
        (b"evil.test, shop.example.com:8443", "shop.example.com:8443"),
    ],
)
def test_the_host_is_that_which_the_proxy_has_written(sent: bytes, host: str) -> None:
    """Where it is believed at all, for most proxies hand on that of the client."""
    named = fields(x_forwarded_for=b"198.51.100.7", x_forwarded_host=sent)
    assert arrival(PEER, named, believed=WITH_HOST).host == host
    assert arrival(PEER, named, believed=BELIEVED).host == "edge.test"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        # HAProxy 2.8, `option forwarded` (its regression tests): a field of its own.
        ([b"for=6.6.6.6", b"proto=https;for=198.51.100.7"], (CLIENT, "https", "edge.test")),
        (
            [b"for=6.6.6.6", b'by="127.0.0.3:10";for="198.51.100.7:_id"'],
            (CLIENT, "http", "edge.test"),
        ),
        ([b'host="haproxy.org";for="_000000007F2F367E:60138"'], (PEER, "http", "haproxy.org")),
        ([b'host="host.com";by=_haproxy;for="[2001:db8::7]:10"'], (CLIENT_6, "http", "host.com")),
        ([b"for=_000000002B1F4D63"], (PEER, "http", "edge.test")),
        # nginx 1.22.1 with the map of its wiki, which leaves out what is malformed.
        ([b"for=6.6.6.6, for=198.51.100.7;proto=https"], (CLIENT, "https", "edge.test")),
        ([b'for=6.6.6.6, for="[2001:db8::7]";proto=http'], (CLIENT_6, "http", "edge.test")),
        ([b'for="[2001:db8::7]";proto=http;host=[::1]'], (CLIENT_6, "http", "[::1]")),
    ],
)
def test_forwarded_as_proxies_write_it(sent: list[bytes], expected: tuple[str, str, str]) -> None:
    """With `forwarded` named, the X-Forwarded fields are the client's and count for nothing."""
    own = fields(x_forwarded_for=b"6.6.6.6", x_forwarded_proto=b"https", x_forwarded_host=b"e.test")
    named = [*own, *(("forwarded", value) for value in sent)]
    found = arrival(PEER, named, trusted=OURS, believed=FORWARDED)
    assert found == Arrival(*expected, is_from_proxy=True)


@pytest.mark.parametrize(
    ("sent", "believed"),
    [
        # AWS, mode preserve. HAProxy, `forwardfor if-none`. Envoy without use_remote_address.
        (fields(x_forwarded_for=b"6.6.6.6"), BELIEVED),
        # nginx, `Forwarded "for=$remote_addr;host=$host"`: it lets commas pass in a Host.
        (fields(forwarded=b"for=198.51.100.7;host=a,for=6.6.6.6;x=y"), FORWARDED),
    ],
)
def test_a_proxy_that_hands_on_the_word_of_clients_must_not_be_trusted(
    sent: Fields, believed: tuple[str, ...]
) -> None:
    """Nothing tells that word from the proxy's own; docs/http.md names these ways to set one up."""
    assert arrival(PEER, sent, trusted=OURS, believed=believed).client_address == "6.6.6.6"


@pytest.mark.parametrize("host", [b"a,x=y", b"a,for=6.6.6.6;x=y", b'"a",for=6.6.6.6;x="y"'])
def test_with_the_address_at_its_end_an_element_is_safe(host: bytes) -> None:
    """The same nginx with `host=$host;for=$remote_addr`: the client cannot name another one."""
    sent = fields(forwarded=b"host=" + host + b";for=198.51.100.7")
    found = arrival(PEER, sent, trusted=OURS, believed=FORWARDED).client_address
    assert found in (CLIENT, PEER)
