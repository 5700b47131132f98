"""`edge limits`: with a real Redis and a real Cluster."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from edge.ratelimit.charge import Charge, Request
from edge.ratelimit.limiter import apply
from edge.ratelimit.partition import Facts
from edge.ratelimit.policy import Policy
from edge.ratelimit.ports import decide
from edge.ratelimit.redis_lanes import open_lanes
from tests.cli.conftest import Run
from tests.support.ports import free_port
from tests.support.redis import running_cluster, running_redis

OWN = json.dumps(
    [
        {"name": "mixed", "limit": 5, "window_s": 60, "partition": ["header:x-key", "address"]},
        {
            "name": "by-account",
            "limit": 9,
            "window_s": 60,
            "algorithm": "log",
            "partition": ["account"],
            "counts": "logins",
        },
        {"name": "all", "limit": 3, "window_s": 60, "partition": ["global"]},
        {
            "name": "by-role",
            "limit": 3,
            "window_s": 60,
            "partition": ["principal"],
            "role_limits": {"gold": 30},
        },
    ]
)
MIXED = Policy(name="mixed", limit=5, window_s=60, partition=("header:x-key", "address"))
ACCOUNT = Policy(
    name="by-account",
    limit=9,
    window_s=60,
    algorithm="log",
    partition=("account",),
    counts="logins",
)


@pytest.fixture(scope="module", params=["redis", "cluster"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with (running_redis if request.param == "redis" else running_cluster)() as store:
        yield store.url


def charge(url: str, policy: Policy, facts: Facts, times: int) -> None:
    """Charge a window as a worker does."""

    async def work() -> None:
        lane, *_ = open_lanes(url)
        await lane.connect()
        [applied] = apply([policy], facts)
        one: Charge = applied.charge
        await decide(lane, [Request([one])] * times)
        await lane.close()

    asyncio.run(work())


def remaining(run: Run, url: str, *arguments: str) -> int:
    result = run("limits", "show", *arguments, "--json", REDIS_URL=url, RATELIMIT_POLICIES=OWN)
    assert result.exit_code == 0, result.output
    left: int = json.loads(result.stdout)["remaining"]
    return left


def test_a_window_is_shown_and_emptied(run: Run, url: str) -> None:
    """By the values of its parts, in the order of the policy; looking charges nothing."""
    facts = Facts(address="2001:db8::7", headers={"x-key": "k"})
    charge(url, MIXED, facts, times=4)
    key = ("mixed", "k", "2001:db8::99")  # the same /64
    assert [remaining(run, url, *key) for _ in range(2)] == [1, 1]
    assert remaining(run, url, "mixed", "other", "2001:db8::7") == 5
    shown = run("limits", "show", *key, REDIS_URL=url, RATELIMIT_POLICIES=OWN)
    assert shown.stdout.startswith("1 of 5 left, all of it in ")
    for answer in ("reset\n", "nothing was charged\n"):
        assert run("limits", "reset", *key, REDIS_URL=url, RATELIMIT_POLICIES=OWN).stdout == answer
    assert remaining(run, url, *key) == 5


def test_names_are_those_of_accounts(run: Run, url: str) -> None:
    """However they are written, as when somebody logs in."""
    charge(url, ACCOUNT, Facts(address="", account="alice"), times=2)
    assert remaining(run, url, "by-account", "Alice") == 7
    run("limits", "reset", "by-account", "ALICE", REDIS_URL=url, RATELIMIT_POLICIES=OWN)
    assert remaining(run, url, "by-account", "alice") == 9


def test_what_is_asked_for_has_to_be_there(run: Run, url: str) -> None:
    """A policy, a value for each part, and a Redis: each is an error that says what to do."""
    environ = {"REDIS_URL": url, "RATELIMIT_POLICIES": OWN}
    for arguments, problem in (
        (("nope", "x"), "there is no policy 'nope'; there are "),
        (("mixed", "k"), "'mixed' counts by header:x-key and address: give a value for each"),
        (("all", "x"), "'all' counts by nothing: give a value for each"),
    ):
        for command in ("show", "reset"):
            result = run("limits", command, *arguments, **environ)
            assert (result.exit_code, problem in result.stderr) == (1, True), result.output
    assert remaining(run, url, "all") == 3
    assert remaining(run, url, "by-role", "somebody", "--role", "gold") == 30


def test_what_a_route_brings_itself_is_known(run: Run, url: str) -> None:
    """It is listed with the others, and its windows are shown like theirs."""
    listed = run("policies", "list", "--json", RATELIMIT_POLICIES=OWN).stdout
    assert [policy["name"] for policy in json.loads(listed)][-1] == "protected-endpoint"
    assert remaining(run, url, "protected-endpoint", "somebody") == 5


def test_without_redis_it_says_so(run: Run) -> None:
    """There is nothing to look at, or it is away."""
    result = run("limits", "show", "address", "127.0.0.1", RATELIMIT_POLICIES=OWN)
    assert "without EDGE_REDIS_URL" in result.stderr
    for kind in ("redis", "redis+cluster"):
        away = f"{kind}://127.0.0.1:{free_port()}"
        for command in ("show", "reset"):
            result = run("limits", command, "all", REDIS_URL=away, RATELIMIT_POLICIES=OWN)
            assert (result.exit_code, result.stdout) == (1, "")
            assert result.stderr.startswith("edge: limits_unavailable: ")
