"""How each load balancer asks about a request, and which answers it understands. Pure.

- nginx (`auth_request`) says it in `X-Original-Method` and `X-Original-URL`. It understands 2xx,
  401 and 403, and would make 500 of everything else.
- Traefik and Caddy, and HAProxy with our action, say it in `X-Forwarded-Method`, `X-Forwarded-Host`
  and `X-Forwarded-Uri`, and pass on the answer.
- Envoy (`ext_authz` over HTTP) asks with the method and host of the request and its path behind the
  prefix, and passes on the answer.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, get_args
from urllib.parse import unquote

import msgspec

from edge.http.arrival import read_host
from edge.http.plain_answers import PlainAnswer
from edge.http.request_head import is_ambiguous
from edge.reasons import Reason

PREFIX: Final = "/forward/"

Dialect = Literal["nginx", "traefik", "caddy", "haproxy", "envoy"]
Fields = Mapping[bytes, bytes]

_BY_PATH: Final[Mapping[str, Dialect]] = {
    PREFIX + dialect: dialect for dialect in get_args(Dialect)
}
_ENVOY: Final = f"{PREFIX}envoy/"

_ORIGINAL: Final = (b"x-original-method", b"x-original-url")
_FORWARDED: Final = (b"x-forwarded-method", b"x-forwarded-host", b"x-forwarded-uri")
# Of which a proxy sends one: a second one is a client's.
ONCE: Final = frozenset({*_ORIGINAL, *_FORWARDED})
_FIELDS: Final[Mapping[Dialect, tuple[bytes, ...]]] = {
    "nginx": _ORIGINAL,
    "traefik": _FORWARDED,
    "caddy": _FORWARDED,
    "haproxy": _FORWARDED,
    "envoy": (b"host",),
}

# What is asked for repeats; one takes about 1 kB at most.
_MOST_REMEMBERED: Final = 4096
_LONGEST_REMEMBERED: Final = 256

_METHOD: Final = re.compile(r"[A-Z]{1,20}")
_CUT_OFF: Final = frozenset(";#")
_UNDERSTOOD_BY_NGINX: Final = frozenset({401, 403})


class Asked(msgspec.Struct, frozen=True):
    """The request a load balancer asks about: host in lower case without a port, path decoded."""

    method: str
    host: str
    path: str


def dialect_of(path: str) -> Dialect | None:
    """Give the dialect of a path below `/forward/`; only Envoy's has more behind it."""
    return _BY_PATH.get(path) or ("envoy" if path.startswith(_ENVOY) else None)


def read_asked(dialect: Dialect, scope: Mapping[str, Any], named: Fields) -> Asked | Reason:
    """Find out which request is asked about, or why that cannot be known."""
    names = _FIELDS[dialect]
    said = tuple(filter(None, map(named.get, names)))
    if len(said) < len(names):
        return Reason.FORWARD_INCOMPLETE
    if dialect == "envoy":
        said = (scope["method"].encode("ascii"), *said, scope["raw_path"])
    is_short = sum(map(len, said)) <= _LONGEST_REMEMBERED
    return _remembered(dialect, said) if is_short else _read(dialect, said)


def as_understood(dialect: Dialect, answer: PlainAnswer) -> PlainAnswer:
    """Give a refusal as the load balancer understands it.

    nginx gets 401 or 403, and reads no body: `X-Edge-Status` and `X-Edge-Problem` have the status
    and the document that its client is to be told.
    """
    if dialect != "nginx":
        return answer
    status = answer.status if answer.status in _UNDERSTOOD_BY_NGINX else 403
    told = [(b"x-edge-status", b"%d" % answer.status), (b"x-edge-problem", answer.body)]
    return PlainAnswer(status, [*answer.fields, *told], answer.body)


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _taken_apart(url: str) -> tuple[str, str]:
    """Give the host and what follows it of `https://host/path?query`."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("http", "https"):
        return "", ""
    host, slash, target = rest.partition("/")
    return host, slash + target


def canonical(method: str, host: str, target: str) -> Asked | Reason:
    """Give a request in the one form that rules are about, or why it has none."""
    if not (_METHOD.fullmatch(method) and host and target):
        return Reason.FORWARD_INCOMPLETE
    name = read_host(host)
    if not name:
        return Reason.HOST_INVALID
    path = target.partition("?")[0]
    decoded = unquote(path)
    # Parameters and fragments are cut off by some services, and part of the name for others.
    if path[0] != "/" or not _CUT_OFF.isdisjoint(path) or is_ambiguous(_bytes(path), decoded):
        return Reason.PATH_AMBIGUOUS
    return Asked(method, _without_port(name), decoded)


def _read(dialect: Dialect, said: Sequence[bytes]) -> Asked | Reason:
    method, *place = [value.decode("latin-1") for value in said]
    if dialect == "nginx":
        host, target = _taken_apart(*place)
    else:
        host, target = place
    if dialect == "envoy":
        target = target[len(_ENVOY) - 1 :] or "/"
    return canonical(method, host, target)


_remembered = lru_cache(_MOST_REMEMBERED)(_read)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
