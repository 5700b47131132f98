"""`edge clients`."""

import asyncio
import hashlib
import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from edge.stores.tables import clients
from tests.cli.conftest import Run
from tests.support.secrets import remember
from tests.support.stores import open_database

SECRET = re.compile(r"^secret: ([A-Za-z0-9._~-]{43})$", re.MULTILINE)


def add(run: Run, client_id: str, *arguments: str) -> dict[str, Any]:
    result = run("clients", "add", client_id, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return shown(result.stdout)


def shown(text: str) -> dict[str, Any]:
    client: dict[str, Any] = json.loads(text)
    if "secret" in client:
        remember(client["secret"])
    return client


def stored_hash(url: str, client_id: str) -> bytes | None:
    async def read() -> bytes | None:
        database = open_database(url)
        async with database.reading() as connection:
            statement = select(clients.c.secret_hash).where(clients.c.id == client_id)
            found: bytes | None = await connection.scalar(statement)
        await database.close()
        return found

    return asyncio.run(read())


def test_the_secret_is_printed_once_and_stored_as_a_hash(run: Run, database_url: str) -> None:
    """It is on standard output and nowhere else, then never again."""
    result = run("clients", "add", "billing")
    found = SECRET.search(result.stdout)
    assert found is not None
    secret = found[1]
    remember(secret)

    assert secret not in result.stderr
    assert stored_hash(database_url, "billing") == hashlib.sha256(secret.encode()).digest()
    for arguments in (["list"], ["list", "--json"], ["disable", "billing"], ["enable", "billing"]):
        later = run("clients", *arguments)
        assert later.exit_code == 0
        assert secret not in later.output
        assert "secret:" not in later.output


def test_a_client_is_listed_as_it_was_added(run: Run) -> None:
    """Every option is in what is shown, for people and for machines."""
    options = ["--name", "The billing run", "--scope", "profile", "--scope", "admin"]
    grants = ["--grant", "password", "--grant", "refresh_token"]
    added = add(run, "billing", *options, *grants, "--role", "auditor", "--introspect")
    added.pop("secret")
    phone = add(run, "phone", "--public")

    assert json.loads(run("clients", "list", "--json").stdout) == [added, phone]
    assert "secret" not in phone
    assert (added["name"], added["kind"]) == ("The billing run", "confidential")
    assert (added["scopes"], added["roles"]) == (["admin", "profile"], ["auditor"])
    assert (added["grants"], added["may_introspect"]) == (["password", "refresh_token"], True)
    assert (phone["kind"], phone["grants"]) == ("public", ["password", "refresh_token"])
    assert run("clients", "list").stdout.splitlines() == [
        "billing  confidential  enabled  password,refresh_token  admin,profile",
        "phone  public  enabled  password,refresh_token  -",
    ]


def test_a_secret_can_be_rotated(run: Run, database_url: str) -> None:
    """The new one is printed once, and its hash takes the place of the old one's."""
    old = add(run, "billing")["secret"]
    new = shown(run("clients", "rotate-secret", "billing", "--json").stdout)["secret"]

    assert old != new
    assert stored_hash(database_url, "billing") == hashlib.sha256(new.encode()).digest()


def test_a_client_can_be_disabled_and_enabled(run: Run) -> None:
    """Each change is shown in the client that it leaves."""
    add(run, "billing")

    assert shown(run("clients", "disable", "billing", "--json").stdout)["is_disabled"]
    assert not shown(run("clients", "enable", "billing", "--json").stdout)["is_disabled"]
    assert "disabled" in run("clients", "disable", "billing").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["a b"], "client_id_invalid"),
        (["taken"], "client_id_taken"),
        (["first-party"], "client_id_taken"),
        (["a", "--name", ""], "client_name_invalid"),
        (["a", "--grant", "refresh_token"], "grant_invalid"),
        (["a", "--public", "--grant", "client_credentials"], "grant_invalid"),
        (["a", "--scope", "unknown"], "scope_invalid"),
        (["a", "--role", "No Role"], "role_invalid"),
        (["a", "--public", "--introspect"], "client_is_public"),
    ],
)
def test_what_will_not_do_is_refused_with_its_reason(
    run: Run, arguments: list[str], code: str
) -> None:
    """A refusal exits with 1, says why and stores nothing."""
    add(run, "taken")
    result = run("clients", "add", *arguments)

    assert result.exit_code == 1
    assert code in result.stderr
    assert [client["id"] for client in json.loads(run("clients", "list", "--json").stdout)] == [
        "taken"
    ]


@pytest.mark.parametrize("command", ["rotate-secret", "disable", "enable"])
def test_a_client_that_is_not_there_cannot_be_changed(run: Run, command: str) -> None:
    """The commands that change a client say so, and exit with 1."""
    result = run("clients", command, "nobody")

    assert (result.exit_code, "no such client" in result.stderr) == (1, True)


def test_a_public_client_has_no_secret_to_rotate(run: Run) -> None:
    """The command says so, and prints none."""
    add(run, "phone", "--public")
    result = run("clients", "rotate-secret", "phone")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "client_is_public" in result.stderr


def test_the_built_in_client_takes_no_other_clients_place(run: Run) -> None:
    """Edge does not start where anybody could be a client of the database without its secret."""
    add(run, "billing")
    result = run("clients", "list", TOKENS_CLIENT_ID="billing")

    assert result.exit_code == 1
    assert "EDGE_TOKENS_CLIENT_ID" in result.stderr
    assert run("clients", "list", TOKENS_CLIENT_ID="web").exit_code == 0


def test_changes_are_recorded(run: Run) -> None:
    """Each writes its event, by `cli`, about the client."""
    events = [
        (["add", "billing"], "client.created"),
        (["rotate-secret", "billing"], "client.secret_rotated"),
        (["disable", "billing"], "client.disabled"),
        (["enable", "billing"], "client.enabled"),
    ]
    for arguments, name in events:
        result = run("clients", *arguments, LOG_FORMAT="json")
        found = SECRET.search(result.stdout)
        if found is not None:
            remember(found[1])
        entry = json.loads(result.stderr.splitlines()[-1])
        assert (entry["event"], entry["by"]) == (name, "cli")
        assert entry["principal"] == "client:billing"
