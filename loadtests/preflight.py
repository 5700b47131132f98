"""Whether this Edge can be tested at all: one look before a minute of answers that mean nothing."""

import re
import secrets
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import pairwise
from typing import Final

from loadtests.plain_http import Reply, ask

# Of no use to anybody (RFC 5737), and not among those that users come from.
_NETWORK: Final = "198.51.100."
_REMAINING: Final = re.compile(r'"address";r=(\d+)')


def problems_of(url: str, token: str) -> list[str]:
    """Give what stands in the way of tests with such tokens."""
    if not url:
        return ["it was not said where Edge is: LOCUST_HOST, or --host"]
    try:
        replies = [_look(url, token, address) for address in _three_addresses()]
    except OSError as error:
        return [str(error)]
    return [*_refused(replies[0]), *_disbelieved(replies)]


def _three_addresses() -> list[str]:
    return [f"{_NETWORK}{last}" for last in secrets.SystemRandom().sample(range(1, 255), 3)]


def _look(url: str, token: str, address: str) -> Reply:
    return ask(f"{url}/bearer-protected", token=token, address=address)


def _refused(reply: Reply) -> Iterator[str]:
    if reply.status == HTTPStatus.NOT_FOUND:
        yield "there is no /bearer-protected: no Edge, or one with EDGE_EXAMPLE_ROUTES=false"
    elif reply.status != HTTPStatus.OK and "code" not in reply.document:
        yield f"who answers is no Edge, or does not reach one ({reply.status})"
    elif reply.status != HTTPStatus.OK:
        yield f"tokens of the generator are refused ({reply.describe()}): see EDGE_ISSUERS"


def _disbelieved(replies: Sequence[Reply]) -> Iterator[str]:
    """Each address has a window of its own; where Edge goes by the peer, one is charged thrice.

    One that is charged twice may be that of a run before.
    """
    counts = [_REMAINING.search(reply.fields.get("ratelimit", "")) for reply in replies]
    remaining = [int(found[1]) for found in counts if found]
    if len(remaining) == len(replies) and all(one > other for one, other in pairwise(remaining)):
        yield "X-Forwarded-For of the generator is not believed: see EDGE_PROXIES_TRUSTED"
