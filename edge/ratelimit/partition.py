"""Partition keys: by what a policy counts, as the name of a window that no other can have."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec

from edge.ratelimit.policy import HEADER, Policy

# One customer of a provider has a /64 at least, and may use any address in it.
_IPV6_PREFIX: Final = 64
_REMEMBERED: Final = 4096
_LONGEST_REMEMBERED: Final = 256
_DIGEST_BYTES: Final = 16


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request; None for what is not known, or not yet."""

    address: str
    route: str = ""
    principal: str | None = None
    client: str | None = None
    account: str | None = None
    headers: Mapping[str, str] = {}


def window_key(policy: Policy, facts: Facts) -> bytes | None:
    """Give the name of the window that this policy counts the request in.

    None where a part is not known: then the policy does not apply. A header that is not sent
    counts as an empty one, or leaving it out would be a way around.
    """
    parts = []
    for part in policy.partition:
        value = (
            facts.headers.get(part.removeprefix(HEADER), "")
            if part.startswith(HEADER)
            else _READ[part](facts)
        )
        if value is None:
            return None
        parts.append(value)
    return policy.key_prefix + _digest(parts)


@lru_cache(_REMEMBERED)
def network_of(address: str) -> str:
    """Give what stands for one user of the network: the IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket
        return address
    if parsed.version == 4:  # noqa: PLR2004  # IP versions
        return address
    return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))


_READ: Final[Mapping[str, Callable[[Facts], str | None]]] = {
    "address": lambda facts: network_of(facts.address),
    "principal": lambda facts: facts.principal,
    "client": lambda facts: facts.client,
    "account": lambda facts: facts.account,
    "route": lambda facts: facts.route,
    "global": lambda _: "",
}

PARTS: Final = frozenset(_READ)


def _digest(parts: list[str]) -> bytes:
    # Callers repeat; what is long (a header that somebody counts by) is hashed each time.
    is_short = sum(map(len, parts)) <= _LONGEST_REMEMBERED
    return _remembered(tuple(parts)) if is_short else _hashed(parts)


def _hashed(parts: Sequence[str]) -> bytes:
    """Hash the parts, each behind its length: no two lists of parts look the same.

    Keys have one length then, and neither addresses nor what is in a header is to be read in Redis.
    """
    text = "".join([f"{len(part)}:{part}" for part in parts])
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES)
    return digest.hexdigest().encode("ascii")


_remembered = lru_cache(_REMEMBERED)(_hashed)
