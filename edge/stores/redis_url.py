"""Where Redis is, from one URL: a single one, one that sentinels name, or a Cluster. Pure.

redis://[user:password@]host[:port][/db]                     rediss:// over TLS
unix://[user:password@]/path/of/the/socket[?db=0]
redis+sentinel://[user:password@]host[:port],.../master[/db] rediss+sentinel:// over TLS
redis+cluster://[user:password@]host[:port],...              rediss+cluster:// over TLS
"""

from collections.abc import Iterator
from typing import Final, Literal
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

Kind = Literal["single", "sentinel", "cluster"]

FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
SENTINEL_LOGIN: Final = ("sentinel_username", "sentinel_password")

_KINDS: Final[dict[str, Kind]] = {
    "": "single",
    "sentinel": "sentinel",
    "cluster": "cluster",
}
_PORTS: Final[dict[Kind, int]] = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_FORMS: Final = (
    "write redis://host:port/0, rediss://..., unix:///path, "
    "redis+sentinel://host:port,host:port/master/0 or redis+cluster://host:port,host:port"
)

_BAD_PORT: Final = "has a port that is none"
_NO_HOST: Final = "lacks a host"
_NO_MASTER: Final = "lacks the name that the sentinels know the Redis by"
_BAD_DATABASE: Final = "has a database that is no number"
_CLUSTER_DATABASE: Final = "names a database, and a Cluster has only one"
_NO_TLS: Final = "has a file for TLS and is not TLS"
_BAD_OPTION: Final = "has an option that is not known"
_NO_URL: Final = "is not the URL of a Redis"
_SEVERAL: Final = "names several hosts, and is neither of sentinels nor of a Cluster"
_NO_SOCKET: Final = "names no socket"


class RedisUrlError(ValueError):
    """Such a URL is not understood; its parts are never told, since it may hold a password."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}: {fix}")
        self.problem = problem
        self.fix = fix


class RedisPlace(msgspec.Struct, frozen=True, kw_only=True):
    """`url` is what redis-py reads: user, password, database and options, and the first host.

    `hosts` are those of the sentinels or of some nodes of the Cluster; `master` is what the
    sentinels call the Redis; `files` have to be there.
    """

    kind: Kind
    url: str
    hosts: tuple[tuple[str, int], ...] = ()
    master: str = ""
    files: tuple[str, ...] = ()


def read_redis_url(url: str) -> RedisPlace:
    """Read the URL, as the head of this file describes them.

    Raises:
        RedisUrlError: it is none of them.
    """
    scheme, _, rest = url.partition("://")
    base, plus, variant = scheme.partition("+")
    login, at, rest = rest.rpartition("@")
    login = quote(login, safe=":%") + at  # many a generated password has / and ? in it
    rest, _, query = rest.partition("?")
    if scheme == "unix":
        return _socket(login, rest, query)
    if base not in ("redis", "rediss") or variant not in _KINDS or bool(plus) != bool(variant):
        raise RedisUrlError(_NO_URL, _FORMS)
    kind = _KINDS[variant]
    places, _, path = rest.partition("/")
    hosts = tuple(_host(place, _PORTS[kind]) for place in places.split(","))
    if kind == "single" and len(hosts) > 1:
        raise RedisUrlError(_SEVERAL, _FORMS)
    master, database = _master_and_database(kind, path)
    first = places.partition(",")[0]
    return RedisPlace(
        kind=kind,
        url=f"{base}://{login}{first}/{database}?{query}",
        hosts=hosts,
        master=master,
        files=tuple(_files(query, kind, is_tls=base == "rediss")),
    )


def _socket(login: str, path: str, query: str) -> RedisPlace:
    if not path.startswith("/"):
        raise RedisUrlError(_NO_SOCKET, _FORMS)
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "db" or not value.isdecimal():
            raise RedisUrlError(_BAD_OPTION, "a socket has only db, a number")
    return RedisPlace(kind="single", url=f"unix://{login}{path}?{query}")


def _host(place: str, default_port: int) -> tuple[str, int]:
    try:
        parsed = urlsplit(f"//{place}")
        port = parsed.port or default_port
    except ValueError:
        raise RedisUrlError(_BAD_PORT, _FORMS) from None
    if not parsed.hostname:
        raise RedisUrlError(_NO_HOST, _FORMS)
    return parsed.hostname, port


def _master_and_database(kind: Kind, path: str) -> tuple[str, str]:
    master, _, database = path.partition("/") if kind == "sentinel" else ("", "", path)
    if kind == "sentinel" and not master:
        raise RedisUrlError(_NO_MASTER, _FORMS)
    if database and not database.isdecimal():
        raise RedisUrlError(_BAD_DATABASE, _FORMS)
    if kind == "cluster" and database not in ("", "0"):
        raise RedisUrlError(_CLUSTER_DATABASE, "leave it out")
    return master, database or "0"


def _files(query: str, kind: Kind, *, is_tls: bool) -> Iterator[str]:
    known = (FILES if is_tls else ()) + (SENTINEL_LOGIN if kind == "sentinel" else ())
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in FILES and not is_tls:
            raise RedisUrlError(_NO_TLS, "write rediss")
        if name not in known:
            fix = f"there are {', '.join(FILES)} with rediss, {', '.join(SENTINEL_LOGIN)}"
            raise RedisUrlError(_BAD_OPTION, fix)
        if name in FILES:
            yield value
