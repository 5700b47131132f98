"""`[[issuers]]`: what is wrong with it is said, all of it, each with its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge.settings import load
from edge.settings.sources import Loaded

GOOD: dict[str, Any] = {
    "issuer": "https://login.example.com",
    "subject_prefix": "corp",
    "audiences": ["edge"],
    "jwks_url": "https://login.example.com/jwks",
}


def loaded(*issuers: object, **environ: str) -> Loaded:
    return load({"EDGE_ISSUERS": json.dumps(issuers), **environ})


def problems(*issuers: object, **environ: str) -> set[str]:
    found = loaded(*issuers, **environ).errors
    assert all(finding.problem and finding.fix for finding in found)
    return {finding.variable for finding in found}


def test_a_good_one_has_no_problems_and_strict_defaults() -> None:
    """Nothing is mapped, ID tokens are not taken, and only two algorithms are, unless said."""
    [issuer] = loaded(GOOD).or_raise().issuers
    assert (issuer.roles, issuer.scopes) == ({}, {})
    assert issuer.types == ("at+jwt",)
    assert issuer.algorithms == ("ES256", "RS256")


def test_it_is_read_from_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`[[issuers]]`, one table each, with paths as text or as lists."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edge.toml").write_text(
        """
        [[issuers]]
        issuer = "https://one.test"
        subject_prefix = "one"
        audiences = ["edge"]
        jwks_file = "/keys.json"
        roles_claim = ["https://one.test/roles"]
        roles = { staff = "moderator" }

        [[issuers]]
        issuer = "https://two.test"
        subject_prefix = "two"
        audiences = ["edge"]
        jwks_url = "https://two.test/jwks"
        roles_claim = "realm_access.roles"
        """
    )
    one, two = load({}).or_raise().issuers
    assert (one.roles_claim, one.roles) == (("https://one.test/roles",), {"staff": "moderator"})
    assert (one.jwks_file, two.roles_claim) == (Path("/keys.json"), "realm_access.roles")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"issuer": "with a blank"}, "issuer"),
        ({"issuer": "http://127.0.0.1:8000"}, "issuer"),
        ({"issuer": 7}, "issuer"),
        ({"subject_prefix": "client"}, "subject_prefix"),
        ({"subject_prefix": "a:b"}, "subject_prefix"),
        ({"subject_prefix": ""}, "subject_prefix"),
        ({"audiences": []}, "audiences"),
        ({"audiences": "edge"}, "audiences"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"algorithms": []}, "algorithms"),
        ({"types": []}, "types"),
        ({"jwks_url": "login.example.com/jwks"}, "jwks_url"),
        ({"jwks_url": "ftp://login.example.com/jwks"}, "jwks_url"),
        ({"jwks_url": "https://user@login.example.com/jwks"}, "jwks_url"),
        ({"jwks_url": "https://[bad/jwks"}, "jwks_url"),
        ({"jwks_file": "/keys.json"}, "jwks_url"),
        ({"jwks_url": None}, "jwks_url"),
        ({"leeway_s": 121}, "leeway_s"),
        ({"refresh_s": 1}, "refresh_s"),
        ({"stale_s": 0}, "stale_s"),
        ({"refresh_s": 300, "stale_s": 299}, "stale_s"),
        ({"types": [""]}, "types"),
        ({"types": ["at+jwt", "a b"]}, "types"),
        ({"types": ["application/at+jwt"]}, "types"),
        ({"audiences": ["edge", ""]}, "audiences"),
        ({"roles": ["admin"]}, "roles"),
        ({"roles_claim": "r", "roles": {"x": "nosuchrole!!"}}, "roles"),
        ({"roles_claim": "r", "roles": {"x": ""}}, "roles"),
        ({"roles": {"x": "user"}}, "roles_claim"),
        ({"scopes": {"read": "nosuchscope"}}, "scopes"),
        ({"scopes_claim": "", "scopes": {"read": "profile"}}, "scopes_claim"),
        ({"jwks_uri": "https://login.example.com/jwks"}, "jwks_uri"),
    ],
    ids=str,
)
def test_each_mistake_is_said_with_its_place(change: dict[str, object], place: str) -> None:
    """One finding, which names the table and the key."""
    assert problems(GOOD | change) == {f"EDGE_ISSUERS[0].{place}"}


def test_all_mistakes_of_all_tables_are_said_at_once() -> None:
    """Whoever mends one does not learn of the next only then."""
    assert problems(
        {"issuer": "a b", "leeway_s": "x"}, GOOD, "nonsense", GOOD | {"refresh_s": -1}
    ) == {
        "EDGE_ISSUERS[0].issuer",
        "EDGE_ISSUERS[0].subject_prefix",
        "EDGE_ISSUERS[0].audiences",
        "EDGE_ISSUERS[0].leeway_s",
        "EDGE_ISSUERS[2]",
        "EDGE_ISSUERS[3].refresh_s",
    }


def test_each_entry_of_a_map_that_cannot_be_is_said() -> None:
    """One finding for each, which names both sides; those that are right are not mentioned."""
    change = {
        "roles_claim": "roles",
        "roles": {"a": "user", "b": "x!", "c": "y!"},
        "scopes": {"d": "profile", "e": "z"},
    }
    assert [(found.variable[16:], found.problem) for found in loaded(GOOD | change).errors] == [
        ("roles", "maps 'b' to 'x!', which no role can be called"),
        ("roles", "maps 'c' to 'y!', which no role can be called"),
        ("scopes", "maps 'e' to 'z', which is not in EDGE_ACCESS_SCOPES"),
    ]


def test_a_map_may_name_any_scope_of_the_settings() -> None:
    """What counts is EDGE_ACCESS_SCOPES as it is, not the default."""
    scopes = json.dumps({"orders": ["user"]})
    change = {"scopes": {"read": "orders"}}
    assert problems(GOOD | change, EDGE_ACCESS_SCOPES=scopes) == set()


def test_keys_may_end_when_they_are_fetched_again() -> None:
    """`stale_s` may be as short as `refresh_s`."""
    assert problems(GOOD | {"refresh_s": 60, "stale_s": 60}) == set()


def test_two_are_not_the_same() -> None:
    """Neither an issuer nor a prefix is there twice: keys and subjects would be mixed up."""
    assert problems(GOOD, GOOD) == {"EDGE_ISSUERS[1].issuer", "EDGE_ISSUERS[1].subject_prefix"}


def test_production_fetches_keys_over_https_only() -> None:
    """A key set that anybody on the way may change is no key set."""
    change = {"jwks_url": "http://login.example.com/jwks"}
    assert problems(GOOD | change) == set()
    environ = {"EDGE_ENVIRONMENT": "production"}
    assert "EDGE_ISSUERS[0].jwks_url" in problems(GOOD | change, **environ)


@pytest.mark.parametrize("text", ["nonsense", "{}", "7", "[", '"x"'])
def test_what_is_no_list_is_said(text: str) -> None:
    """One finding for the whole setting."""
    assert [finding.variable for finding in load({"EDGE_ISSUERS": text}).errors] == ["EDGE_ISSUERS"]
