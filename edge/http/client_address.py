"""The client's address: the peer, or what trusted proxies say of it.

`X-Forwarded-For` grows at its right end, one address a proxy. So it is walked from the right for as
long as trusted proxies vouch for the next entry; what stands further left, anybody may have sent.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Proxies are few and clients repeat; an entry is about 300 bytes.
_REMEMBERED: Final = 4096
_PORT_DIGITS: Final = 5
# More proxies than that are not a chain but an attempt to make us count.
_MOST_HOPS: Final = 32


class ClientAddress:
    """Finds the client behind `trusted` networks, such as `10.0.0.0/8`; none by default."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted = tuple(ipaddress.ip_network(network) for network in trusted)
        self._is_trusted = lru_cache(_REMEMBERED)(self._look_up)

    def find(self, peer: str, forwarded_for: Sequence[bytes]) -> str:
        """Give the client's address in its normal form.

        `forwarded_for` are the values of all `X-Forwarded-For` fields in the order received.
        An entry that is no address ends the walk: the proxy that passed it on is the client.
        A peer without an address (a Unix socket) is given as it is, and not trusted.
        """
        address = parse_address(peer)
        if address is None:
            return peer
        if not self._trusted or not forwarded_for or not self._is_trusted(address):
            return str(address)
        return str(self._walk(address, b",".join(forwarded_for)))

    def _walk(self, address: Address, field: bytes) -> Address:
        entries = field.decode("latin-1").rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
        for entry in reversed(entries):
            if not self._is_trusted(address):
                break
            vouched_for = parse_address(entry)
            if vouched_for is None:
                break
            address = vouched_for
        return address

    def _look_up(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


@lru_cache(_REMEMBERED)
def parse_address(text: str) -> Address | None:
    """Read an address as proxies write it: `ip`, `ip:port`, `[ip]` or `[ip]:port`.

    An IPv4 address mapped into IPv6 is given as IPv4; zones are dropped with their address.
    """
    host = text.strip()
    if host.startswith("["):
        host, bracket, port = host[1:].partition("]")
        if not bracket or (port and not _is_port(port)):
            return None
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
        if not _is_port(f":{port}"):
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


def _is_port(text: str) -> bool:
    digits = text.removeprefix(":")
    return (
        text != digits
        and 1 <= len(digits) <= _PORT_DIGITS
        and digits.isascii()
        and digits.isdigit()
    )
