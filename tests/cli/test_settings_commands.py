"""`edge check`, `edge settings` and `edge db`."""

import asyncio
import base64
import json
import secrets
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from edge.accounts.sql.users import SqlUserStore
from edge.accounts.user import NewUser
from edge.stores import schema
from tests.cli.conftest import Run
from tests.support.app import new_password
from tests.support.secrets import remember
from tests.support.stores import open_database


def new_secret_key() -> str:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    remember(key)
    return key


def production(**more: str) -> dict[str, str]:
    return {
        "ENVIRONMENT": "production",
        "ISSUER": "https://id.example.com",
        "SECRET_KEY": new_secret_key(),
        "PASSWORDS_MEMORY_KIB": "65536",
        "PASSWORDS_TIME_COST": "3",
        **more,
    }


def test_check_lists_every_error_and_exits_with_1(run: Run) -> None:
    """Nobody mends a configuration one restart at a time."""
    result = run("check", ENVIRONMENT="production", SERVER_PORT="many", ISUER="x", DEMO="true")

    assert result.exit_code == 1
    for name in ("SERVER_PORT", "ISUER", "SECRET_KEY", "ISSUER", "DEMO", "PASSWORDS_MEMORY_KIB"):
        assert f"error: EDGE_{name} " in result.output, name
    assert "did you mean EDGE_ISSUER?" in result.output


def test_check_for_machines_is_json(run: Run) -> None:
    """`--json` gives each finding with its variable, problem and fix."""
    findings = json.loads(run("check", "--json", SERVER_PORT="many").stdout)
    errors = [finding for finding in findings if finding["severity"] == "error"]

    assert [error["variable"] for error in errors] == ["EDGE_SERVER_PORT"]
    assert set(errors[0]) == {"severity", "variable", "problem", "fix"}


def test_warnings_alone_are_no_failure(run: Run) -> None:
    """The password grant is on by default: worth saying, not worth refusing."""
    result = run("check")

    assert (result.exit_code, "warning: EDGE_TOKENS_PASSWORD_GRANT" in result.output) == (0, True)


def test_a_good_production_configuration_has_no_errors(run: Run) -> None:
    """With a key, an https issuer, a current schema and no demo accounts, production may start."""
    result = run("check", **production())

    assert (result.exit_code, "errors: 0" in result.output) == (0, True)


def test_demo_accounts_in_the_database_stop_production(run: Run, database_url: str) -> None:
    """A database that was tried out with demo accounts is not taken into production unnoticed."""

    async def add_demo_account() -> None:
        database = open_database(database_url, timeout_s=5)
        user = NewUser(id=uuid7(), username="admin", is_demo=True)
        await SqlUserStore(database, revocation_lifetime_s=1).add(user, "no hash")
        await database.close()

    asyncio.run(add_demo_account())
    variables = production()

    for command in (("check",), ("serve",), ("users", "list")):
        result = run(*command, **variables)
        assert (result.exit_code, "demo accounts" in result.output) == (1, True), command


def test_an_old_schema_stops_production(run: Run, tmp_path: Path) -> None:
    """Production never changes a schema by itself: it says which command does."""
    variables = production(DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")

    for command in (("check",), ("serve",), ("users", "list")):
        result = run(*command, **variables)
        assert (result.exit_code, "edge db upgrade" in result.output) == (1, True), command
    assert run("db", "check", **variables).exit_code == 1
    assert run("db", "upgrade", **variables).exit_code == 0
    assert run("db", "check", **variables).exit_code == 0
    assert run("users", "list", **variables).exit_code == 0


def test_upgrading_twice_says_that_nothing_was_to_do(run: Run) -> None:
    """A schema that is current stays as it is."""
    assert run("db", "upgrade").stdout == f"The schema is current ({schema.HEAD}).\n"


def test_a_database_that_is_away_is_named_in_one_line(run: Run) -> None:
    """An outage is an error message, not a stack trace."""
    away = "postgresql://edge:hunter2hunter2@127.0.0.1:1/edge"
    for command in (("db", "check"), ("users", "list"), ("serve",)):
        result = run(*command, DATABASE_URL=away)
        assert (result.exit_code, "store_unavailable" in result.stderr) == (1, True), command
        assert "Traceback" not in result.output
        assert "hunter2" not in result.output


def test_settings_shows_values_and_where_they_came_from_with_secrets_masked(
    run: Run, tmp_path: Path
) -> None:
    """Environment, secret file, TOML and default are told apart; secrets are not shown."""
    key = new_secret_key()
    (tmp_path / "key").write_text(key)
    (tmp_path / "edge.toml").write_text('service_name = "Acme"\n[tokens]\nleeway_s = 7\n')
    url = "postgresql://edge:hunter2hunter2@db.example.com/edge"
    result = run(
        "settings",
        "--json",
        SECRET_KEY_FILE=str(tmp_path / "key"),
        DATABASE_URL=url,
        TOKENS_AUDIENCE="shop",
    )
    shown = json.loads(result.stdout)

    assert shown["EDGE_TOKENS_AUDIENCE"] == {"value": "shop", "from": "EDGE_TOKENS_AUDIENCE"}
    assert shown["EDGE_SECRET_KEY"] == {"value": "********", "from": "EDGE_SECRET_KEY_FILE"}
    assert shown["EDGE_SERVICE_NAME"] == {"value": "Acme", "from": "edge.toml (service_name)"}
    assert shown["EDGE_TOKENS_LEEWAY_S"]["value"] == "7"
    assert shown["EDGE_SERVER_PORT"] == {"value": "8000", "from": "default"}
    assert shown["EDGE_ISSUER"] == {"value": "http://127.0.0.1:8000", "from": "default"}
    assert shown["EDGE_DATABASE_URL"]["value"] == "postgresql://edge:********@db.example.com/edge"
    assert key not in result.output
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    "command", [["--help"], ["users", "--help"], ["db", "--help"], ["serve", "--help"]]
)
def test_help_is_there(run: Run, command: list[str]) -> None:
    """Every group explains itself."""
    result = run(*command)

    assert (result.exit_code, "Usage:" in result.output) == (0, True)


def test_the_demo_is_refused_in_production(run: Run) -> None:
    """`edge serve --demo` makes no accounts where real people log in."""
    result = run("serve", "--demo", **production())

    assert (result.exit_code, "EDGE_DEMO" in result.output) == (1, True)
    assert json.loads(run("users", "list", "--json").stdout) == []


def test_a_user_added_on_the_command_line_can_be_found(run: Run) -> None:
    """The command line works on the database the service uses."""
    run("users", "add", "ann", stdin=new_password() + "\n")

    assert "ann" in run("users", "list").stdout
