"""`edge users`."""

import importlib
import json

import pytest

from tests.cli.conftest import Run
from tests.support.app import new_password


def add(run: Run, username: str, *arguments: str) -> str:
    password = new_password()
    result = run("users", "add", username, *arguments, stdin=password + "\n")
    assert result.exit_code == 0, result.output
    return password


def test_a_user_is_added_shown_and_listed(run: Run) -> None:
    """What was added is what is shown, for people and for machines."""
    options = ["--role", "admin", "--email", "Ann@Example.COM", "--full-name", "Ann Lee", "--json"]
    password = new_password()
    added = run("users", "add", "Ann", *options, stdin=password + "\n")
    add(run, "bob")
    shown = json.loads(run("users", "show", "ANN", "--json").stdout)

    assert json.loads(added.stdout) == shown
    assert (shown["username"], shown["email"]) == ("Ann", "Ann@example.com")
    assert (shown["full_name"], shown["roles"]) == ("Ann Lee", ["admin"])
    assert [user["username"] for user in json.loads(run("users", "list", "--json").stdout)] == [
        "Ann",
        "bob",
    ]
    assert run("users", "list").stdout.count("\n") == 2
    assert password not in added.output


def test_the_list_goes_on_past_one_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every user is listed once, however many pages it takes."""
    monkeypatch.setattr(importlib.import_module("edge.cli.users"), "_PAGE", 2)
    names = ["ann", "bob", "cid", "dot", "eve"]
    for name in names:
        add(run, name)
    listed = json.loads(run("users", "list", "--json").stdout)

    assert [user["username"] for user in listed] == names


@pytest.mark.parametrize(
    ("username", "arguments", "password", "code"),
    [
        ("a:b", [], "entirely unremarkable horses", "username_invalid"),
        ("ann", ["--email", "nonsense"], "entirely unremarkable horses", "email_invalid"),
        ("ann", ["--role", "Not A Role"], "entirely unremarkable horses", "role_invalid"),
        ("ann", ["--full-name", " "], "entirely unremarkable horses", "full_name_invalid"),
        ("ann", [], "", "password_too_short"),
        ("ann", [], "short", "password_too_short"),
        ("ann", [], "x" * 1025, "password_too_long"),
        ("ann", [], "passwordpassword", "password_common"),
        ("ann", [], "unbelievable123", "password_guessable"),
        ("annabelle.lee", [], "annabelle lee 1!", "password_contextual"),
    ],
)
def test_what_will_not_do_is_refused_with_its_reason(
    run: Run, username: str, arguments: list[str], password: str, code: str
) -> None:
    """A refusal exits with 1, says why and stores nothing."""
    result = run("users", "add", username, *arguments, stdin=password + "\n")

    assert result.exit_code == 1
    assert code in result.stderr
    assert run("users", "list").stdout == ""


def test_a_name_that_is_taken_is_refused_in_any_case(run: Run) -> None:
    """Two users cannot have names that differ only in case."""
    add(run, "ann")
    result = run("users", "add", "ANN", stdin=new_password() + "\n")

    assert (result.exit_code, "username_taken" in result.stderr) == (1, True)


def test_roles_state_and_password_can_be_changed(run: Run) -> None:
    """Each change is shown in the account that it leaves."""
    add(run, "ann", "--role", "user")
    roles = json.loads(run("users", "set-roles", "ann", "moderator", "user", "--json").stdout)
    none = json.loads(run("users", "set-roles", "ann", "--json").stdout)
    disabled = json.loads(run("users", "disable", "ann", "--json").stdout)
    enabled = json.loads(run("users", "enable", "ann", "--json").stdout)
    password = run("users", "set-password", "ann", stdin=new_password() + "\n")
    weak = run("users", "set-password", "ann", stdin="too short\n")

    assert roles["roles"] == ["moderator", "user"]
    assert none["roles"] == []
    assert (disabled["is_disabled"], enabled["is_disabled"]) == (True, False)
    assert (password.exit_code, weak.exit_code) == (0, 1)


def test_deleting_asks_first(run: Run) -> None:
    """Only a yes deletes, and a deleted user is gone."""
    add(run, "ann")
    assert run("users", "delete", "ann", stdin="n\n").exit_code == 1
    assert run("users", "show", "ann").exit_code == 0
    assert run("users", "delete", "ann", "--yes").exit_code == 0
    assert run("users", "show", "ann").exit_code == 1


@pytest.mark.parametrize(
    "command", [["show"], ["set-roles"], ["disable"], ["enable"], ["delete", "--yes"]]
)
def test_an_unknown_user_is_an_error(run: Run, command: list[str]) -> None:
    """Commands about somebody who does not exist exit with 1 and say so."""
    result = run("users", command[0], "nobody", *command[1:])

    assert (result.exit_code, "there is no such user" in result.stderr) == (1, True)


def test_a_password_is_never_an_argument(run: Run) -> None:
    """There is no option to pass it where every process on the machine could read it."""
    result = run("users", "add", "ann", "--password", "entirely unremarkable horses")

    assert result.exit_code == 2
    assert "--password" not in run("users", "add", "--help").output


def test_a_change_is_recorded_as_a_security_event(run: Run) -> None:
    """Whoever reads the log learns what was changed from the command line, and of whom."""
    add(run, "ann", "--role", "user")
    result = run("users", "set-roles", "ann", LOG_FORMAT="json")
    (event,) = [json.loads(line) for line in result.stderr.splitlines()]

    assert (event["event"], event["by"]) == ("account.roles_changed", "cli")
    assert event["principal"] == json.loads(run("users", "show", "ann", "--json").stdout)["id"]
