"""The URL of a Redis, of sentinels and of a Cluster; and what the settings say to a bad one."""

from pathlib import Path

import pytest

from edge.settings import Finding, Secret, Settings, check
from edge.settings.model import Redis
from edge.stores.redis_url import RedisPlace, RedisUrlError, read_redis_url


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://r", RedisPlace(kind="single", url="redis://r/0?", hosts=(("r", 6379),))),
        (
            "rediss://u:p@r:7/3?ssl_ca_certs=/ca.pem",
            RedisPlace(
                kind="single",
                url="rediss://u:p@r:7/3?ssl_ca_certs=/ca.pem",
                hosts=(("r", 7),),
                files=("/ca.pem",),
            ),
        ),
        ("unix://:p@/run/r?db=2", RedisPlace(kind="single", url="unix://:p@/run/r?db=2")),
        (
            "redis://:a/b?c#d@[::1]:7/1",
            RedisPlace(kind="single", url="redis://:a%2Fb%3Fc%23d@[::1]:7/1?", hosts=(("::1", 7),)),
        ),
        (
            "redis+sentinel://:p@a,b:7/main/4?sentinel_password=q",
            RedisPlace(
                kind="sentinel",
                url="redis://:p@a/4?sentinel_password=q",
                hosts=(("a", 26379), ("b", 7)),
                master="main",
            ),
        ),
        (
            "rediss+cluster://:p@a:1,[::2]:3",
            RedisPlace(kind="cluster", url="rediss://:p@a:1/0?", hosts=(("a", 1), ("::2", 3))),
        ),
    ],
)
def test_what_a_url_names(url: str, place: RedisPlace) -> None:
    """Each form gives the hosts, the master and a URL that redis-py reads."""
    assert read_redis_url(url) == place


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("localhost:6379", "is not the URL of a Redis"),
        ("http://r", "is not the URL of a Redis"),
        ("redis+ring://r", "is not the URL of a Redis"),
        ("redis+://r", "is not the URL of a Redis"),
        ("redis://", "lacks a host"),
        ("redis+cluster://a,", "lacks a host"),
        ("redis://a:b/0", "has a port that is none"),
        ("redis://a:70000/0", "has a port that is none"),
        ("redis://a,b/0", "names several hosts, and is neither of sentinels nor of a Cluster"),
        ("redis://a/first", "has a database that is no number"),
        ("redis+sentinel://a,b", "lacks the name that the sentinels know the Redis by"),
        ("redis+sentinel://a,b/main/x", "has a database that is no number"),
        ("redis+cluster://a/1", "names a database, and a Cluster has only one"),
        ("redis://a/0?socket_timeout=1", "has an option that is not known"),
        ("redis://a/0?sentinel_password=q", "has an option that is not known"),
        ("redis://a/0?ssl_ca_certs=/ca.pem", "has a file for TLS and is not TLS"),
        ("unix://relative", "names no socket"),
        ("unix:///run/r?db=x", "has an option that is not known"),
    ],
)
def test_what_is_wrong_with_a_url(url: str, problem: str) -> None:
    """The settings say so in one error with a fix; else the first request would find it out."""
    with pytest.raises(RedisUrlError):
        read_redis_url(url)
    [finding] = findings(url)
    assert (finding.severity, finding.problem) == ("error", problem)
    assert finding.fix


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """TLS would fail with it at each connection, as if Redis was away."""
    file = tmp_path / "ca.pem"
    url = f"rediss://a/0?ssl_ca_certs={file}"
    [finding] = findings(url)
    assert finding.problem == f"names {file}, which is no file"
    file.touch()
    assert findings(url) == []


def findings(url: str) -> list[Finding]:
    found = check(Settings(redis=Redis(url=Secret(url))))
    return [finding for finding in found if finding.variable == "EDGE_REDIS_URL"]
