"""How a request arrived: from which address, by which scheme and for which host.

The connection says so, unless its peer is a proxy of ours: then the proxy does. Each claim is
believed only as far as the address is trusted that made it, and so the client ends the walk.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from litestar.types import Scope

from edge.http.client_address import parse_address
from edge.http.forwarded import FORWARDED, MOST_HOPS, Fields, forwarded, x_forwarded

# Clients repeat. One takes about 1 kB here (measured), fields of this length 1.4 kB; longer ones,
# which no chain of proxies needs, are read each time.
_REMEMBERED: Final = 4096
_LONGEST_REMEMBERED: Final = 512
# Of IPv6 45 characters, brackets and a port 8; an obfuscated port may be longer.
_LONGEST_ADDRESS: Final = 128
# RFC 1035 section 2.3.4: a name has 255 octets; with a colon and a port.
_LONGEST_HOST: Final = 261
_LARGEST_PORT: Final = 65_535

# Letters, digits, and the underscore that names inside of clusters have.
_HOST: Final = re.compile(r"(?:[a-z0-9._-]+|\[([0-9a-f:.]+)\])(?::([0-9]{1,5}))?")
# A WebSocket is opened by a request of the other pair; Traefik names this one.
_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Arrival(NamedTuple):
    """Where a request came from and what it was sent to, as its client did it.

    `scheme` is http or https. `host` is in lower case, with the port that was named; empty where
    there is none, more than one, or something else. `is_from_proxy`: the peer of the connection is
    a trusted one.
    """

    client_address: str
    scheme: str
    host: str
    is_from_proxy: bool


class _Hop(NamedTuple):
    address: str
    is_trusted: bool


class TrustedProxies:
    """Believes the `fields` of peers in `networks`, such as `10.0.0.0/8`, and of nobody else.

    A proxy passes on what it does not write, so only fields that ours do write may be named: all
    else is the client's. `forwarded` is named alone.
    """

    def __init__(self, networks: Iterable[str], fields: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)
        self._names = tuple(name.encode("ascii") for name in fields) if self._networks else ()
        self._read = forwarded if FORWARDED in self._names else x_forwarded
        self._remembered_hop = lru_cache(_REMEMBERED)(self._look_up)
        self._remembered = lru_cache(_REMEMBERED)(self._arrival_by_values)

    def arrival_of(self, scope: Scope, named: Mapping[bytes, bytes]) -> Arrival:
        """Say how a request arrived; see `Arrival`. `named` holds the last field of each name.

        Addresses are in their normal form. A claim that names no address ends the walk: whoever
        passed it on is the client. A peer without an address (a Unix socket) is given as it is,
        and not trusted.
        """
        client = scope["client"]
        peer = client[0] if client else ""
        scheme, host = scope.get("scheme", "http"), named.get(b"host", b"")
        headers: Any = scope["headers"]
        if len(named) != len(headers):
            is_once = [name for name, _ in headers].count(b"host") == 1
            fields = [field for field in headers if field[0] in self._names]
            return self._arrival(peer, scheme, host if is_once else b"", fields)
        values = tuple(map(named.get, self._names))
        if len(host) + sum(map(len, filter(None, values))) > _LONGEST_REMEMBERED:
            return self._arrival_by_values(peer, scheme, host, values)
        return self._remembered(peer, scheme, host, values)

    def _arrival_by_values(
        self, peer: str, scheme: str, host: bytes, values: Sequence[bytes | None]
    ) -> Arrival:
        pairs = zip(self._names, values, strict=True)
        fields = [(name, value) for name, value in pairs if value is not None]
        return self._arrival(peer, scheme, host, fields)

    def _arrival(self, peer: str, scheme: str, host: bytes, fields: Fields) -> Arrival:
        hop = self._hop(peer) or _Hop(peer, is_trusted=False)
        direct = Arrival(
            hop.address,
            read_scheme(scheme) or "http",
            read_host(host.decode("latin-1")),
            hop.is_trusted,
        )
        if not (fields and hop.is_trusted):
            return direct
        claimed = self._walk(fields)
        return Arrival(
            claimed.client_address or direct.client_address,
            claimed.scheme or direct.scheme,
            claimed.host or direct.host,
            hop.is_trusted,
        )

    def _walk(self, fields: Fields) -> Arrival:
        """Walk from a trusted peer to the client; what no proxy of ours says stays empty."""
        address = scheme = host = ""
        for claim in islice(self._read(fields), MOST_HOPS):
            scheme = read_scheme(claim.scheme) or scheme
            host = read_host(claim.host) or host
            hop = self._hop(claim.node)
            if hop is None:
                break
            address = hop.address
            if not hop.is_trusted:
                break
        return Arrival(address, scheme, host, is_from_proxy=True)

    def _hop(self, text: str) -> _Hop | None:
        return self._remembered_hop(text) if len(text) <= _LONGEST_ADDRESS else None

    def _look_up(self, text: str) -> _Hop | None:
        address = parse_address(text)
        if address is None:
            return None
        return _Hop(str(address), any(address in network for network in self._networks))


def read_scheme(text: str) -> str:
    """Give http or https, or nothing where it is neither."""
    return _SCHEMES.get(text.strip().lower(), "")


def read_host(text: str) -> str:
    """Give a host and its port in their normal form, or nothing where it is none."""
    return _remembered_host(text) if len(text) <= _LONGEST_HOST else ""


@lru_cache(_REMEMBERED)
def _remembered_host(text: str) -> str:
    host = text.strip().lower()
    match = _HOST.fullmatch(host)
    if match is None:
        return ""
    ipv6, port = match.groups()
    if (port and int(port) > _LARGEST_PORT) or (ipv6 and not _is_ipv6(ipv6)):
        return ""
    return host


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
