"""`edge policies`."""

import json

from tests.cli.conftest import Run

OWN = json.dumps(
    [
        {"name": "reports", "limit": 5, "window_s": 60, "paths": ["/reports/*"], "cost": 2},
        {"name": "writes", "limit": 9, "window_s": 1.5, "methods": ["POST"], "shadow": True},
        {"name": "address", "limit": 7, "window_s": 60},
    ]
)


def names(run: Run, *arguments: str, **environ: str) -> list[str]:
    result = run("policies", *arguments, "--json", **environ)
    assert result.exit_code == 0, result.output
    return [policy["name"] for policy in json.loads(result.stdout)]


def test_the_defaults_are_listed(run: Run) -> None:
    """Without a file, requests are limited by address and principal, logins three ways."""
    expected = ["address", "principal", "login", "login-address", "login-account"]
    of_routes = ["protected-endpoint"]
    assert names(run, "list", RATELIMIT_DEFAULTS="true") == expected + of_routes
    assert names(run, "list", RATELIMIT_DEFAULTS="false") == of_routes


def test_one_of_your_own_replaces_a_default_of_its_name(run: Run) -> None:
    """There is one `address`, with the limit that was set."""
    result = run("policies", "list", RATELIMIT_DEFAULTS="true", RATELIMIT_POLICIES=OWN)
    lines = [line for line in result.stdout.splitlines() if line.startswith("address ")]
    assert lines == [
        "address  7 in 60 s  counter  by address  requests  everywhere  without Redis: local"
    ]


def test_it_is_told_which_a_request_meets(run: Run) -> None:
    """By path, by method, and as an attempt to log in."""

    def met(*arguments: str) -> list[str]:
        environ = {"RATELIMIT_DEFAULTS": "true", "RATELIMIT_POLICIES": OWN}
        return names(run, "test", *arguments, **environ)

    assert met("--path", "/user-area") == ["principal", "address"]
    assert met("--path", "/") == ["address"]  # a public route knows no principal
    assert met("--path", "/reports/7") == ["reports", "address"]
    assert met("--path", "/", "--method", "post") == ["writes", "address"]
    assert met("--path", "/login", "--login")[-3:] == ["login", "login-address", "login-account"]


def test_what_a_route_adds_is_listed_too(run: Run) -> None:
    """Found by the path as somebody would ask for it; probes meet none."""
    environ = {"RATELIMIT_DEFAULTS": "true"}
    found = names(run, "test", "--path", "/protected-endpoint", **environ)
    assert found == ["address", "principal", "protected-endpoint"]
    assert names(run, "test", "--path", "/livez", **environ) == []
    by_route = json.dumps(
        [{"name": "one", "limit": 1, "window_s": 1, "routes": ["/users/{user_id}"]}]
    )
    found = names(run, "test", "--path", "/users/7", RATELIMIT_POLICIES=by_route)
    assert found == ["one"]
