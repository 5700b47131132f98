"""`edge rules`: what becomes of a request, said before anybody sends it."""

import json

import pytest

from tests.cli.conftest import Run
from tests.support.app import new_password

RULES = json.dumps(
    [
        {"name": "open", "paths": ["/open"], "public": True},
        {"name": "staff", "hosts": ["*.shop.test"], "paths": ["/staff/*"], "roles": ["admin"]},
        {"name": "trial", "methods": ["PUT"], "scopes": ["admin"], "shadow": True},
        {"name": "scripts", "methods": ["POST"], "authentication": ["basic"], "audience": "a"},
    ]
)


def test_rules_are_listed_in_their_order(run: Run) -> None:
    """With what they cover and what they need."""
    result = run("rules", "list", ACCESS_RULES=RULES)
    assert result.stdout.splitlines() == [
        "open  /open  public",
        "staff  *.shop.test /staff/*  bearer, one of admin",
        "trial  PUT  bearer, scopes admin  shadow",
        "scripts  POST  basic, anybody  assertion for a",
    ]
    machines = json.loads(run("rules", "list", "--json", ACCESS_RULES=RULES).stdout)
    assert [rule["name"] for rule in machines] == ["open", "staff", "trial", "scripts"]


@pytest.mark.parametrize(
    ("arguments", "outcome", "rule", "reason"),
    [
        (["--host", "x.test", "--path", "/open"], "allowed", "open", None),
        (["--host", "x.test", "--path", "/x"], "refused", None, "rule_missing"),
        (["--host", "x.test", "--path", "/x/../open"], "refused", None, "path_ambiguous"),
        (["--host", "a/b", "--path", "/open"], "refused", None, "host_invalid"),
        (
            ["--host", "A.Shop.test:80", "--path", "/staff/1"],
            "refused",
            "staff",
            "credentials_missing",
        ),
        (
            ["--host", "a.shop.test", "--path", "/staff/1", "--as", "anna"],
            "refused",
            "staff",
            "role_missing",
        ),
        (
            ["--host", "a.shop.test", "--path", "/staff/1?x", "--as", "root"],
            "allowed",
            "staff",
            None,
        ),
        (
            ["--host", "a", "--path", "/x", "--method", "PUT", "--as", "anna"],
            "allowed, being a shadow",
            "trial",
            "insufficient_scope",
        ),
        (
            ["--host", "a", "--path", "/x", "--method", "POST", "--as", "anna"],
            "refused",
            "scripts",
            "credentials_missing",
        ),
        (
            ["--host", "a", "--path", "/x", "--method", "POST", "--as", "anna", "--by", "basic"],
            "allowed",
            "scripts",
            None,
        ),
    ],
)
def test_a_decision_is_explained(
    run: Run, arguments: list[str], outcome: str, rule: str | None, reason: str | None
) -> None:
    """Which rule counts, and why it lets the request through or not."""
    for username, role in (("anna", "user"), ("root", "admin")):
        run("users", "add", username, "--role", role, stdin=f"{new_password()}\n")
    result = run("rules", "test", *arguments, "--json", ACCESS_RULES=RULES)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["outcome"], told.get("rule"), told.get("reason")) == (outcome, rule, reason)
    shown = run("rules", "test", *arguments, ACCESS_RULES=RULES).stdout
    assert shown.startswith(f"{outcome} ({reason})" if reason else f"{outcome}:")


def test_who_is_not_there_is_told_so(run: Run) -> None:
    """Nothing is said of what they might do."""
    environ = {"ACCESS_RULES": RULES}
    result = run(
        "rules", "test", "--host", "a.shop.test", "--path", "/staff/1", "--as", "nobody", **environ
    )
    assert result.exit_code != 0
    assert "there is no user nobody" in result.output
