"""Addresses as servers and proxies write them."""

import ipaddress
import re
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 7239 section 6.2: a number, or a name in place of one that shall not be known.
_PORT: Final = re.compile(r":(?:[0-9]{1,5}|_[A-Za-z0-9._-]+)")


def parse_address(text: str) -> Address | None:
    """Read an address as proxies write it: `ip`, `ip:port`, `[ip]` or `[ip]:port`.

    An IPv4 address mapped into IPv6 is given as IPv4; zones are dropped with their address.
    """
    host = text.strip()
    if host.startswith("["):
        host, bracket, port = host[1:].partition("]")
        if not bracket or (port and not _PORT.fullmatch(port)):
            return None
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
        if not _PORT.fullmatch(f":{port}"):
            return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address
