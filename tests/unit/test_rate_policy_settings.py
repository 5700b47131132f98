"""`[[ratelimit.policies]]`: what is wrong with one is said, with its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge.limits import policies_of
from edge.settings import load

GOOD: dict[str, Any] = {"name": "reports", "limit": 5, "window_s": 60}


def problems(*policies: object) -> set[str]:
    found = load({"EDGE_RATELIMIT_POLICIES": json.dumps(policies)}).errors
    assert all(finding.problem and finding.fix for finding in found)
    return {finding.variable for finding in found}


def test_a_good_one_has_no_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read from TOML with all it has."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edge.toml").write_text(
        """
        [[ratelimit.policies]]
        name = "reports"
        limit = 5
        window_s = 60
        algorithm = "log"
        partition = ["principal", "header:x-tenant"]
        routes = ["/reports/{id}"]
        role_limits = { gold = 50 }
        on_outage = "deny"
        shadow = true
        """
    )
    [*_, policy] = policies_of(load({}).or_raise().ratelimit)
    assert (policy.name, policy.is_shadow, policy.on_outage) == ("reports", True, "deny")
    assert policy.quota(["gold"]).limit == 50
    assert policy.quota().window_us == 60_000_000


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"name": "Reports"}, "name"),
        ({"name": ""}, "name"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_001, "algorithm": "log"}, "limit"),
        ({"algorithm": "log", "role_limits": {"gold": 10_001}}, "limit"),
        ({"window_s": 0}, "window_s"),
        ({"window_s": 1e9}, "window_s"),
        ({"algorithm": "bucket"}, "algorithm"),
        ({"partition": []}, "partition"),
        ({"partition": ["ip"]}, "partition"),
        ({"partition": ["header:X-Tenant"]}, "partition"),
        ({"partition": ["account"]}, "partition"),
        ({"partition": ["address", "address"]}, "partition"),
        ({"partition": ["address", "global"]}, "partition"),
        ({"counts": "logins", "partition": ["principal"]}, "partition"),
        ({"counts": "logins", "partition": ["header:x-tenant"]}, "partition"),
        ({"counts": "logins", "paths": ["/login"]}, "paths"),
        ({"counts": "logins", "methods": ["POST"]}, "methods"),
        ({"counts": "logins", "role_limits": {"gold": 9}}, "role_limits"),
        ({"methods": ["post"]}, "methods"),
        ({"paths": ["reports/*"]}, "paths"),
        ({"routes": ["reports"]}, "routes"),
        ({"counts": "logouts"}, "counts"),
        ({"cost": 6}, "cost"),
        ({"cost": -1}, "cost"),
        ({"role_limits": {"gold": 0}}, "role_limits"),
        ({"on_outage": "panic"}, "on_outage"),
        ({"window": "1m"}, "window"),
    ],
    ids=str,
)
def test_each_mistake_is_said_with_its_place(change: dict[str, object], key: str) -> None:
    """One finding, which names the table and the key."""
    assert problems(GOOD | change) == {f"EDGE_RATELIMIT_POLICIES[0].{key}"}


def test_all_mistakes_are_said_at_once() -> None:
    """Also that two have one name: their windows would be mixed up."""
    assert problems(GOOD, GOOD) == {"EDGE_RATELIMIT_POLICIES[1].name"}
    assert problems({"limit": "x"}, GOOD | {"cost": "y"}, GOOD | {"partition": ["ip"]}) == {
        "EDGE_RATELIMIT_POLICIES[2].partition",
        "EDGE_RATELIMIT_POLICIES[0].name",
        "EDGE_RATELIMIT_POLICIES[0].limit",
        "EDGE_RATELIMIT_POLICIES[0].window_s",
        "EDGE_RATELIMIT_POLICIES[1].cost",
    }
