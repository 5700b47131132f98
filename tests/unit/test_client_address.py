"""Addresses as proxies write them."""

import pytest

from edge.http.client_address import parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        (" 198.51.100.1 ", "198.51.100.1"),
        ("198.51.100.1:0", "198.51.100.1"),
        ("198.51.100.1:65535", "198.51.100.1"),
        ("198.51.100.1:_SEVKISEK", "198.51.100.1"),
        ("[2001:db8::1]:_e.k-7", "2001:db8::1"),
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
        ("198.51.100.1:_", None),
        ("198.51.100.1:_a b", None),
        ("unknown", None),
        ("unknown:443", None),
        ("_gazonk", None),
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
