"""Whose request is it: the peer's, or that of the client behind trusted proxies."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.http.client_address import ClientAddress, parse_address

PROXY = "10.0.0.1"
TRUSTED = ("10.0.0.0/8", "192.168.1.7/32", "fd00::/8")


def find(peer: str, *fields: bytes, trusted: tuple[str, ...] = TRUSTED) -> str:
    return ClientAddress(trusted).find(peer, fields)


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
        (PROXY, [b"256.1.1.1"], PROXY),
        (PROXY, [b"010.1.1.1"], PROXY),
        (PROXY, [b"1.2.3"], PROXY),
        (PROXY, [b"3232235777"], PROXY),
        (PROXY, [b"0x7f.0.0.1"], PROXY),
        (PROXY, [b"127.1"], PROXY),
        (PROXY, [b"x" * 10_000], PROXY),
        # One proxy.
        (PROXY, [b"198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"  198.51.100.1\t"], "198.51.100.1"),
        (PROXY, [b"2001:DB8:0:0::1"], "2001:db8::1"),
        ("192.168.1.7", [b"198.51.100.1"], "198.51.100.1"),
        ("fd00::1", [b"198.51.100.1"], "198.51.100.1"),
        # AWS ALB appends the client; what stands before it the client has sent.
        (PROXY, [b"1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"10.0.0.9, 198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"garbage, , 198.51.100.1"], "198.51.100.1"),
        (PROXY, [b"1.1.1.1,198.51.100.1"], "198.51.100.1"),
        # AWS ALB with client ports, and Azure Application Gateway.
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
        ("testclient", [], "testclient"),
    ],
)
def test_the_client_is_found_from_the_right(peer: str, fields: list[bytes], client: str) -> None:
    """Each entry is believed only as far as the proxy that added it is trusted."""
    assert find(peer, *fields) == client


@pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.0.1", "127.0.0.1", "::1"])
def test_no_proxy_is_trusted_unless_configured(peer: str) -> None:
    """Without trusted networks the field counts for nothing, whoever sends it."""
    assert find(peer, b"198.51.100.1", trusted=()) == peer


def test_a_chain_longer_than_any_is_not_walked_to_its_end() -> None:
    """Of 40 trusted hops the 32 on the right are walked; the client cannot make us count more."""
    chain = b", ".join([b"198.51.100.1", *(b"10.0.1.%d" % hop for hop in range(40))])
    assert find(PROXY, chain) == "10.0.1.8"
    assert find(PROXY, *chain.split(b", ")) == "10.0.1.8"


def test_a_chain_of_31_proxies_is_walked() -> None:
    """With 31 trusted hops before the peer the client is still found."""
    chain = b", ".join([b"1.1.1.1", b"198.51.100.1", *[b"10.0.1.1"] * 31])
    assert find(PROXY, chain) == "198.51.100.1"


@given(st.ip_addresses() | st.just("socket"), st.lists(st.binary(max_size=60), max_size=4))
def test_no_bytes_make_it_fail(peer: object, fields: list[bytes]) -> None:
    """Whatever proxies send, the client is an address, or the peer as it is."""
    client = ClientAddress(["0.0.0.0/0", "::/0"]).find(str(peer), fields)
    if peer != "socket":
        ipaddress.ip_address(client)
    else:
        assert client == "socket"


@given(st.lists(st.ip_addresses(v=4).map(str), min_size=1, max_size=5))
def test_what_an_untrusted_client_writes_changes_nothing(written: list[str]) -> None:
    """Entries left of the one our proxy added never matter."""
    field = ", ".join([*written, "198.51.100.1"]).encode()
    assert find(PROXY, field) == "198.51.100.1"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        (" 198.51.100.1 ", "198.51.100.1"),
        ("198.51.100.1:0", "198.51.100.1"),
        ("198.51.100.1:65535", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::1", "::1"),
        ("::", "::"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("[::ffff:1.2.3.4]", "1.2.3.4"),
        ("", None),
        ("198.51.100.1:", None),
        ("198.51.100.1:http", None),
        ("198.51.100.1:-1", None),
        ("198.51.100.1:123456", None),
        ("198.51.100.1:\u0661", None),
        ("198.51.100.1/32", None),
        ("198.51.100.1%eth0", None),
        ("[2001:db8::1", None),
        ("2001:db8::1]", None),
        ("[2001:db8::1]443", None),
        ("[2001:db8::1]:", None),
        ("[2001:db8::1]:x", None),
        ("[]", None),
        ("[]:443", None),
        ("fe80::1%eth0", None),
        ("[fe80::1%eth0]:443", None),
        ("2001:db8::1::2", None),
        ("localhost", None),
        ("\u0661.2.3.4", None),
        ("1.2.3.4\0", None),
        (":443", None),
    ],
)
def test_addresses_are_read_as_proxies_write_them(text: str, address: str | None) -> None:
    """With and without port and brackets; zones, names and everything else are no address."""
    parsed = parse_address(text)
    assert (None if parsed is None else str(parsed)) == address


def test_a_network_that_is_none_is_an_error() -> None:
    """A trusted network that cannot be read stops the start, it is not skipped."""
    for network in ("10.0.0.0/33", "everybody", "10.0.0.1/8"):
        with pytest.raises(ValueError, match=r"does not appear|has host bits"):
            ClientAddress([network])
