"""Whose request is it, and by which scheme and to which host was it sent."""

import ipaddress
import re
import tracemalloc
from collections.abc import Iterable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.http.arrival import Arrival, TrustedProxies
from tests.support.arrivals import FORWARDED, NETWORKS, PROXY, X_FORWARDED, arrival

CLIENT = "198.51.100.1"
# What fields of this kind are made of, so that random ones come close to real ones.
PIECES = st.sampled_from(
    [
        *(b",", b", ", b";", b'"', b"\\", b"=", b" ", b"", b"\xff", b"x"),
        *(b"for=", b"For=", b"proto=https", b"host=evil.test", b"by=_x", b'for="[2001:db8::9]:1"'),
        *(b"6.6.6.6", b"6.6.6.6:80", b"10.0.0.2", b"[fd00::2]", b"unknown", b"_hidden", b"https"),
    ]
)
ANYTHING = st.lists(PIECES, max_size=12).map(b"".join) | st.binary(max_size=60)


def behind(peer: str, *fields: bytes) -> str:
    """Give the client that `X-Forwarded-For` names."""
    return arrival(peer, [("x-forwarded-for", value) for value in fields]).client_address


def forwarded(peer: str, *fields: bytes) -> Arrival:
    """Give the arrival that `Forwarded` tells of."""
    return arrival(peer, [("forwarded", value) for value in fields], believed=FORWARDED)


@pytest.mark.parametrize(
    ("peer", "fields", "client"),
    [
        # Nobody to believe.
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", [b"198.51.100.1"], "203.0.113.9"),
        ("203.0.113.9", [b"10.0.0.2"], "203.0.113.9"),
        ("192.168.1.8", [b"198.51.100.1"], "192.168.1.8"),
        ("2001:db8::1", [b"198.51.100.1"], "2001:db8::1"),
        ("11.0.0.1", [b"198.51.100.1"], "11.0.0.1"),
        # A proxy that says nothing, or something that is no address, is the client.
        (PROXY, [], PROXY),
        (PROXY, [b""], PROXY),
        (PROXY, [b" "], PROXY),
        (PROXY, [b","], PROXY),
        (PROXY, [b"unknown"], PROXY),
        (PROXY, [b"_hidden"], PROXY),
        (PROXY, [b"evil\xc3\xa9"], PROXY),
        (PROXY, [b"\xff\xfe\x00"], PROXY),
        (PROXY, [b"198.51.100.1 10.0.0.2"], PROXY),
        (PROXY, [b"for=198.51.100.1"], PROXY),
        (PROXY, [b'"198.51.100.1"'], PROXY),
        (PROXY, [b"256.1.1.1"], PROXY),
        (PROXY, [b"010.1.1.1"], PROXY),
        (PROXY, [b"1.2.3"], PROXY),
        (PROXY, [b"3232235777"], PROXY),
        (PROXY, [b"0x7f.0.0.1"], PROXY),
        (PROXY, [b"127.1"], PROXY),
        (PROXY, [b"x" * 10_000], PROXY),
        (PROXY, [b" " * 10_000 + b"198.51.100.1"], PROXY),
        # One proxy.
        (PROXY, [b"198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"  198.51.100.1\t"], "198.51.100.1"),
        (PROXY, [b"2001:DB8:0:0::1"], "2001:db8::1"),
        ("192.168.1.7", [b"198.51.100.1"], "198.51.100.1"),
        ("fd00::1", [b"198.51.100.1"], "198.51.100.1"),
        # What stands before the entry of the proxy the client has sent.
        (PROXY, [b"1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"10.0.0.9, 198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"garbage, , 198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"1.1.1.1,198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"1.1.1.1," * 2_000 + b"198.51.100.1"], "198.51.100.1"),
        # Ports and brackets.
        (PROXY, [b"198.51.100.1:51544"], "198.51.100.1"),
        (PROXY, [b"1.1.1.1:1, 198.51.100.1:51544"], "198.51.100.1"),
        (PROXY, [b"[2001:db8::9]:51544"], "2001:db8::9"),
        # Chains of trusted proxies.
        (PROXY, [b"198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        (PROXY, [b"198.51.100.1, 10.0.0.3, fd00::2"], "198.51.100.1"),
        (PROXY, [b"1.1.1.1, 198.51.100.1, 192.168.1.7, 10.0.0.2"], "198.51.100.1"),
        (PROXY, [b"198.51.100.1, 192.168.1.8, 10.0.0.2"], "192.168.1.8"),
        (PROXY, [b"198.51.100.1, 10.0.0.2:443, [fd00::2]:443"], "198.51.100.1"),
        # A client inside the trusted networks: the left-most there is.
        (PROXY, [b"10.0.0.9"], "10.0.0.9"),
        (PROXY, [b"10.0.0.9, 10.0.0.2"], "10.0.0.9"),
        # A broken entry ends the walk at the proxy that passed it on.
        (PROXY, [b"198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
        (PROXY, [b"198.51.100.1, , 10.0.0.2"], "10.0.0.2"),
        (PROXY, [b"198.51.100.1,"], PROXY),
        # Repeated fields are one list.
        (PROXY, [b"1.1.1.1", b"198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"198.51.100.1", b"10.0.0.2"], "198.51.100.1"),
        (PROXY, [b"198.51.100.1", b""], PROXY),
        # IPv4 in IPv6.
        ("::ffff:10.0.0.1", [b"198.51.100.1"], "198.51.100.1"),
        ("::ffff:a00:1", [b"198.51.100.1"], "198.51.100.1"),
        ("::ffff:203.0.113.9", [b"198.51.100.1"], "203.0.113.9"),
        (PROXY, [b"::ffff:198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"[::ffff:198.51.100.1]:80"], "198.51.100.1"),
        (PROXY, [b"198.51.100.1, ::ffff:10.0.0.2"], "198.51.100.1"),
        # Peers that have no address are given as they are and never believed.
        ("", [b"198.51.100.1"], ""),
        ("unix:", [b"198.51.100.1"], "unix:"),
        ("/run/edge.sock", [b"198.51.100.1"], "/run/edge.sock"),
        ("/" + "x" * 200, [b"198.51.100.1"], "/" + "x" * 200),
        ("testclient", [], "testclient"),
    ],
)
def test_the_client_is_found_from_the_right(peer: str, fields: list[bytes], client: str) -> None:
    """Each entry is believed only as far as the proxy that added it is trusted."""
    assert behind(peer, *fields) == client


@pytest.mark.parametrize(
    ("fields", "client"),
    [
        # Examples of RFC 7239 section 4 and 6.
        ([b'for="_gazonk"'], PROXY),
        ([b'For="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17"),
        ([b"for=192.0.2.60;proto=http;by=203.0.113.43"], "192.0.2.60"),
        ([b"for=192.0.2.43, for=198.51.100.17"], "198.51.100.17"),
        ([b'for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown'], PROXY),
        ([b'for=192.0.2.43, for="[2001:db8:cafe::17]"', b"for=unknown"], PROXY),
        ([b"for=_hidden, for=_SEVKISEK"], PROXY),
        ([b'for="198.51.100.1:_SEVKISEK"'], CLIENT),
        # Quotes, escapes, letters and spaces as the grammar allows them.
        ([b'for="198.51.100.1"'], CLIENT),
        ([b'FOR="198.51.100.1:4711"'], CLIENT),
        ([rb'for="198\.51.100.1"'], CLIENT),
        ([b"for=198.51.100.1;"], CLIENT),
        ([b";;for=198.51.100.1;;proto=https"], CLIENT),
        ([b" for=198.51.100.1 ; proto=https "], CLIENT),
        ([b"\tfor=198.51.100.1\t"], CLIENT),
        ([rb'secret="a, b;for=1.1.1.1, \"c\\";for=198.51.100.1'], CLIENT),
        ([b'for=198.51.100.1;x=",";y=",,"'], CLIENT),
        ([b'by="";for=198.51.100.1'], CLIENT),
        # Not in quotes, though the grammar asks for them.
        ([b"for=198.51.100.1:4711"], CLIENT),
        ([b"for=[2001:db8::9]:4711"], "2001:db8::9"),
        # Chains, in one field and in several.
        ([b"for=1.1.1.1, for=198.51.100.1, for=10.0.0.2"], CLIENT),
        ([b'for=1.1.1.1, for=198.51.100.1;by=_a, for="[fd00::2]:443"'], CLIENT),
        ([b"for=1.1.1.1", b"for=198.51.100.1", b"for=10.0.0.2"], CLIENT),
        ([b'for="', b"for=198.51.100.1", b"for=10.0.0.2"], CLIENT),
        ([b"for=10.0.0.9, for=10.0.0.2"], "10.0.0.9"),
        # A client's quotes and escapes reach nothing that a proxy has added.
        ([b'for=", for=198.51.100.1'], CLIENT),
        ([b'for="6.6.6.6, for="[2001:db8::9]:4711"'], "2001:db8::9"),
        ([b'for=6.6.6.6;by=", for="198.51.100.1"'], CLIENT),
        ([rb'for=6.6.6.6;by="\, for=198.51.100.1'], CLIENT),
        ([rb"for=6.6.6.6\, for=198.51.100.1"], CLIENT),
        ([b"for=6.6.6.6" + b"," * 60_000 + b"for=198.51.100.1"], CLIENT),
        ([b'"' * 60_000 + b",for=198.51.100.1"], CLIENT),
        # What is malformed says nothing, and ends the walk at the proxy that passed it on.
        ([b""], PROXY),
        ([b"198.51.100.1"], PROXY),
        ([b"for"], PROXY),
        ([b"for="], PROXY),
        ([b'for=""'], PROXY),
        ([b"for =198.51.100.1"], PROXY),
        ([b"for= 198.51.100.1"], PROXY),
        ([b"for=198.51.100.1 proto=https"], PROXY),
        ([b"for=198.51.100.1;proto=a b"], PROXY),
        ([b"for=198.51.100.1;for=198.51.100.2"], PROXY),
        ([b"for=198.51.100.1;proto=http;Proto=https"], PROXY),
        ([b'for="198.51.100.1'], PROXY),
        ([b'for=198.51.100.1"'], PROXY),
        ([rb'for="198.51.100.1\"'], PROXY),
        ([b'for="198.51.100.1"x'], PROXY),
        ([b"for=2001:db8::9%eth0"], PROXY),
        ([b"for=\xff"], PROXY),
        ([b"for=198.51.100.1,"], PROXY),
        ([b"for=198.51.100.1, for=10.0.0.3;for=1.1.1.1, for=10.0.0.2"], "10.0.0.2"),
        ([b"for=198.51.100.1, , for=10.0.0.2"], "10.0.0.2"),
        ([b"for=6.6.6.6", b'for="198.51.100.1'], PROXY),
        ([b"for=6.6.6.6", b""], PROXY),
        ([b"by=203.0.113.43;proto=http"], PROXY),
    ],
)
def test_the_forwarded_field_is_read_from_the_right(fields: list[bytes], client: str) -> None:
    """RFC 7239: every element is believed only as far as the proxy is trusted that added it."""
    assert forwarded(PROXY, *fields).client_address == client


@pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.0.1", "127.0.0.1", "::1"])
@pytest.mark.parametrize("believed", [X_FORWARDED, FORWARDED])
def test_no_proxy_is_trusted_unless_configured(peer: str, believed: tuple[str, ...]) -> None:
    """Without trusted networks the fields count for nothing, whoever sends them."""
    fields = [
        ("host", b"edge.test"),
        ("x-forwarded-for", b"6.6.6.6"),
        ("x-forwarded-proto", b"https"),
        ("x-forwarded-host", b"evil.test"),
        ("forwarded", b"for=6.6.6.6;proto=https;host=evil.test"),
    ]
    found = arrival(peer, fields, trusted=(), believed=believed)
    assert found == Arrival(peer, "http", "edge.test", is_from_proxy=False)


@pytest.mark.parametrize(
    ("believed", "expected"),
    [
        (X_FORWARDED, Arrival("198.51.100.1", "https", "x.test", is_from_proxy=True)),
        (("x-forwarded-for",), Arrival("198.51.100.1", "http", "edge.test", is_from_proxy=True)),
        (("x-forwarded-proto",), Arrival(PROXY, "https", "edge.test", is_from_proxy=True)),
        (("x-forwarded-host",), Arrival(PROXY, "http", "x.test", is_from_proxy=True)),
        (FORWARDED, Arrival("198.51.100.2", "https", "f.test", is_from_proxy=True)),
        ((), Arrival(PROXY, "http", "edge.test", is_from_proxy=True)),
    ],
)
def test_only_the_fields_named_are_believed(believed: tuple[str, ...], expected: Arrival) -> None:
    """A field that our proxies do not write is the client's, and no other field names a client."""
    fields = [
        ("host", b"edge.test"),
        ("forwarded", b"for=198.51.100.2;proto=https;host=f.test"),
        ("x-forwarded-for", b"198.51.100.1"),
        ("x-forwarded-proto", b"https"),
        ("x-forwarded-host", b"x.test"),
        ("x-forwarded-port", b"8443"),
        *((name, b"6.6.6.6") for name in ("x-real-ip", "cf-connecting-ip", "true-client-ip")),
        *((name, b"6.6.6.6") for name in ("x-client-ip", "x-azure-clientip", "client-ip")),
        *((name, b"6.6.6.6") for name in ("x_forwarded_for", "x-forwarded-for ", "x-forwarded")),
    ]
    assert arrival(PROXY, fields, believed=believed) == expected


def test_a_chain_longer_than_any_is_not_walked_to_its_end() -> None:
    """Of 40 trusted hops the 32 on the right are walked; the client cannot make us count more."""
    hops = [b"198.51.100.1", *(b"10.0.1.%d" % hop for hop in range(40))]
    elements = [b"for=%s" % hop for hop in hops]
    assert behind(PROXY, b", ".join(hops)) == "10.0.1.8"
    assert behind(PROXY, *hops) == "10.0.1.8"
    assert forwarded(PROXY, b", ".join(elements)).client_address == "10.0.1.8"
    assert forwarded(PROXY, *elements).client_address == "10.0.1.8"


def test_a_chain_of_31_proxies_is_walked() -> None:
    """With 31 trusted hops before the peer the client is still found."""
    hops = [b"1.1.1.1", b"198.51.100.1", *[b"10.0.1.1"] * 31]
    assert behind(PROXY, b", ".join(hops)) == CLIENT
    assert forwarded(PROXY, b", ".join(b"for=%s" % hop for hop in hops)).client_address == CLIENT


@pytest.mark.parametrize(
    ("own", "fields", "scheme"),
    [
        ("http", [], "http"),
        ("https", [], "https"),
        ("ws", [], "http"),
        ("wss", [], "https"),
        ("http", [b"https"], "https"),
        ("https", [b"http"], "http"),
        ("http", [b" HTTPS "], "https"),
        ("http", [b"wss"], "https"),  # Traefik, of a WebSocket
        ("https", [b"ws"], "http"),
        # The right-most is of the nearest proxy that writes the field.
        ("http", [b"http, https"], "https"),
        ("https", [b"https, http"], "http"),
        ("http", [b"http", b"https"], "https"),
        # What is neither of the two changes nothing.
        ("http", [b""], "http"),
        ("https", [b"ftp"], "https"),
        ("http", [b"https,"], "http"),
        ("http", [b"https://"], "http"),
        ("http", [b'"https"'], "http"),
        ("https", [b"http\xff"], "https"),
        ("spdy", [], "http"),
    ],
)
def test_the_scheme_is_http_or_https(own: str, fields: list[bytes], scheme: str) -> None:
    """That which a trusted proxy names, else the connection's own."""
    named = [("x-forwarded-proto", value) for value in fields]
    assert arrival(PROXY, named, scheme=own).scheme == scheme
    assert arrival("203.0.113.9", named, scheme=own).scheme == arrival(PROXY, scheme=own).scheme


@pytest.mark.parametrize(
    ("named", "host"),
    [
        (b"a.test", "a.test"),
        (b" A.Test ", "a.test"),
        (b"a.test:8443", "a.test:8443"),
        (b"a_service", "a_service"),
        (b"xn--bcher-kva.example", "xn--bcher-kva.example"),
        (b"192.0.2.1:80", "192.0.2.1:80"),
        (b"[2001:DB8::1]", "[2001:db8::1]"),
        (b"[::1]:8443", "[::1]:8443"),
        (b"a" * 255 + b":65535", "a" * 255 + ":65535"),
        (b"", None),
        (b"a.test:", None),
        (b"a.test:http", None),
        (b"a.test:65536", None),
        (b"a.test:123456", None),
        (b"a.test/path", None),
        (b"https://a.test", None),
        (b"me@a.test", None),
        (b"a.test?x", None),
        (b"a.test#x", None),
        (b"a test", None),
        (b"a.test\\evil", None),
        (b"a.test\x00", None),
        (b"a.test\r\nx: y", None),
        (b"b\xfccher.example", None),
        (b"<script>", None),
        (b'"a.test"', None),
        (b"2001:db8::1", None),
        (b"[2001:db8::1", None),
        (b"[2001:db8::1]443", None),
        (b"[fe80::1%eth0]", None),
        (b"[1.2.3.4]", None),
        (b"[:::]", None),
        (b"[]", None),
        (b"a" * 10_000, None),
    ],
)
def test_what_is_no_host_is_not_taken_for_one(named: bytes, host: str | None) -> None:
    """Of a trusted proxy it leaves the connection's own host, and as that it leaves none."""
    own = ("host", b"edge.test")
    assert arrival(PROXY, [own, ("x-forwarded-host", named)]).host == (host or "edge.test")
    assert arrival("203.0.113.9", [own, ("x-forwarded-host", named)]).host == "edge.test"
    assert arrival(PROXY, [("host", named)]).host == (host or "")


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ([], ""),
        ([("host", b"a.test"), ("host", b"b.test")], ""),
        ([("x-forwarded-host", b"a.test, b.test")], "b.test"),
        ([("x-forwarded-host", b"a.test"), ("x-forwarded-host", b"b.test")], "b.test"),
        ([("host", b"a.test"), ("x-forwarded-host", b"b.test,")], "a.test"),
    ],
)
def test_of_several_hosts_the_nearest_proxy_s_counts(
    fields: list[tuple[str, bytes]], host: str
) -> None:
    """The right-most of a field; a repeated Host names none."""
    assert arrival(PROXY, fields).host == host


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([b"for=198.51.100.1;proto=https;host=a.test"], (CLIENT, "https", "a.test")),
        ([b'for=198.51.100.1;proto="HTTPS";host="A.test:8443"'], (CLIENT, "https", "a.test:8443")),
        ([b"host=[2001:db8::1]:80;proto=https"], (PROXY, "https", "[2001:db8::1]:80")),
        # That of the proxy which met the client: the left-most that is vouched for.
        (
            [b"for=198.51.100.1;proto=https;host=a.test, for=10.0.0.2;proto=http;host=b.test"],
            (CLIENT, "https", "a.test"),
        ),
        (
            [b"for=6.6.6.6;proto=https;host=evil.test, for=198.51.100.1;proto=http;host=b.test"],
            (CLIENT, "http", "b.test"),
        ),
        ([b"for=198.51.100.1, for=10.0.0.2;proto=https"], (CLIENT, "https", "edge.test")),
        ([b"for=198.51.100.1;proto=https, for=10.0.0.2"], (CLIENT, "https", "edge.test")),
        # A proxy of ours may hide the client and tell the rest.
        ([b"for=unknown;proto=https;host=a.test"], (PROXY, "https", "a.test")),
        ([b"proto=https;host=a.test, for=_x;proto=http"], (PROXY, "http", "edge.test")),
        # What is neither a scheme nor a host leaves the connection's own.
        ([b'for=198.51.100.1;proto=ftp;host="a/b"'], (CLIENT, "http", "edge.test")),
        ([b"for=198.51.100.1;proto=https;proto=https"], (PROXY, "http", "edge.test")),
    ],
)
def test_forwarded_tells_scheme_and_host_with_the_address(
    fields: list[bytes], expected: tuple[str, str, str]
) -> None:
    """They are of the same element as the client, or of the nearest to it that has them."""
    named = [("host", b"edge.test"), *(("forwarded", value) for value in fields)]
    assert arrival(PROXY, named, believed=FORWARDED) == Arrival(*expected, is_from_proxy=True)


def test_what_is_long_is_not_kept() -> None:
    """A hundred fields of 60 kB leave nothing behind: nobody fills the memory from outside."""
    proxies = TrustedProxies(NETWORKS, X_FORWARDED)

    def send(number: int) -> None:
        junk = b"%d" % number + b"x" * 60_000
        headers = [(name, junk) for name in (b"host", b"x-forwarded-for", b"x-forwarded-host")]
        scope = {"scheme": "http", "client": (PROXY, 1), "headers": headers}
        found = proxies.arrival_of(cast("Any", scope), dict(headers))
        assert found == Arrival(PROXY, "http", "", is_from_proxy=True)

    tracemalloc.start()
    for number in range(100):
        send(number)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000


# Laws, of whatever is sent.

untrusted_addresses = st.ip_addresses().filter(
    lambda address: not any(address in ipaddress.ip_network(network) for network in NETWORKS)
)
chains = st.lists(st.sampled_from(["10.0.0.2", "10.200.0.3", "192.168.1.7", "fd00::2"]), max_size=4)


def appended(fields: Iterable[bytes], more: bytes, *, own_field: bool) -> list[bytes]:
    """Append as nginx does, to the field there is, or as HAProxy does, in a field of its own."""
    *others, last = list(fields) or [b""]
    if own_field or not last:
        return [*others, last, more] if last else [*others, more]
    return [*others, last + b", " + more]


@given(
    untrusted_addresses,
    st.lists(ANYTHING, max_size=3),
    chains,
    st.booleans(),
    st.sampled_from(["x-forwarded-for", "forwarded"]),
)
def test_a_client_never_chooses_its_address(
    client: ipaddress.IPv4Address | ipaddress.IPv6Address,
    written: list[bytes],
    proxies: list[str],
    own_field: bool,  # noqa: FBT001  # hypothesis gives it
    name: str,
) -> None:
    """Whatever it sends, behind any chain of our proxies it is where it connected from."""
    fields = written
    for hop in [str(client), *proxies]:
        if name == "forwarded":
            more = f'for="[{hop}]:4711";proto=http' if ":" in hop else f"for={hop};proto=http"
        else:
            more = hop
        fields = appended(fields, more.encode(), own_field=own_field)
    found = arrival(PROXY, [(name, value) for value in fields], believed=(name,))
    mapped = getattr(client, "ipv4_mapped", None)
    assert found == Arrival(str(mapped or client), "http", "", is_from_proxy=True)


@given(
    untrusted_addresses,
    st.lists(st.tuples(st.sampled_from([*X_FORWARDED, *FORWARDED, "x-real-ip"]), ANYTHING)),
    st.sampled_from([X_FORWARDED, FORWARDED]),
)
def test_whom_nobody_trusts_nobody_believes(
    peer: object, fields: list[tuple[str, bytes]], believed: tuple[str, ...]
) -> None:
    """A client that reaches us past the proxies changes nothing by any field."""
    own = ("host", b"edge.test")
    assert arrival(str(peer), [own, *fields], believed=believed) == arrival(str(peer), [own])


@given(
    st.ip_addresses() | st.text(max_size=40),
    st.lists(st.tuples(st.sampled_from(["host", *X_FORWARDED, *FORWARDED]), ANYTHING)),
    st.sampled_from([X_FORWARDED, FORWARDED]),
)
def test_no_bytes_make_it_fail(
    peer: object, fields: list[tuple[str, bytes]], believed: tuple[str, ...]
) -> None:
    """Everybody trusted, the client is an address or the peer, the scheme one of two."""
    everybody = ["0.0.0.0/0", "::/0"]
    found = arrival(str(peer), fields, trusted=everybody, believed=believed)
    if found.client_address != str(peer):
        ipaddress.ip_address(found.client_address)
    assert found.scheme in ("http", "https")
    assert re.fullmatch(r"[a-z0-9._:\[\]-]*", found.host)


def test_a_network_that_is_none_is_an_error() -> None:
    """A trusted network that cannot be read stops the start, it is not skipped."""
    for network in ("10.0.0.0/33", "everybody", "10.0.0.1/8"):
        with pytest.raises(ValueError, match=r"does not appear|has host bits"):
            TrustedProxies([network], X_FORWARDED)
