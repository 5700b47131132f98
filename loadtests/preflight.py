"""Whether this Edge can be tested at all: one look before a minute of answers that mean nothing."""

import re
import secrets
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from loadtests.plain_http import Reply, ask

# Of no use to anybody (RFC 5737), and not among those that users come from.
_NETWORK: Final = "198.51.100."
_REMAINING: Final = re.compile(r'"address";r=(\d+)')


def problems_of(url: str, token: str) -> list[str]:
    """Give what stands in the way of tests with such tokens."""
    try:
        first, second = (_look(url, token) for _ in range(2))
    except (OSError, ValueError) as error:  # ValueError: it is no URL
        return [f"nobody answers at {url or 'no --host'}: {error}"]
    return [*_refused(first), *_disbelieved(first, second)]


def _look(url: str, token: str) -> Reply:
    address = _NETWORK + str(secrets.randbelow(254) + 1)
    return ask(f"{url}/bearer-protected", token=token, address=address)


def _refused(reply: Reply) -> Iterator[str]:
    if reply.status == HTTPStatus.NOT_FOUND:
        yield "there is no /bearer-protected: set EDGE_EXAMPLE_ROUTES=true"
    elif reply.status != HTTPStatus.OK:
        yield f"tokens of the generator are refused ({reply.describe()}): see EDGE_ISSUERS"


def _disbelieved(first: Reply, second: Reply) -> Iterator[str]:
    """Two addresses have two windows; the same one was charged where Edge went by the peer."""
    counts = [_REMAINING.search(reply.fields.get("ratelimit", "")) for reply in (first, second)]
    remaining = [int(found[1]) for found in counts if found]
    if len(remaining) == len(counts) and remaining[1] < remaining[0]:
        yield "X-Forwarded-For of the generator is not believed: see EDGE_PROXIES_TRUSTED"
