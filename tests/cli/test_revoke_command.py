"""`edge revoke`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from click.testing import Result

from edge.stores.sql import Database
from edge.tokens.revocations import Change
from edge.tokens.sql.revocations import SqlRevocationLog
from tests.cli.conftest import Run
from tests.support.app import new_password
from tests.support.stores import open_database

ISSUER = "https://login.test"
ISSUERS = json.dumps(
    [{"issuer": ISSUER, "subject_prefix": "t", "audiences": ["e"], "jwks_file": "/nowhere"}]
)
UNKNOWN = "01900000-0000-7000-8000-000000000000"

Answer = TypeVar("Answer")


def ask(url: str, work: Callable[[Database], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        database = open_database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def changes(url: str) -> list[Change]:
    async def read(database: Database) -> list[Change]:
        rows = (await SqlRevocationLog(database).since(None)).rows
        return [row for row in rows if row.kind != "key"]

    return ask(url, read)


def ann(run: Run) -> dict[str, Any]:
    result = run("users", "add", "ann", "--json", stdin=new_password())
    assert result.exit_code == 0, result.output
    user: dict[str, Any] = json.loads(result.stdout)
    return user


def refusal(result: Result) -> str:
    assert result.exit_code == 1, result.output
    return result.stderr


def test_a_user_is_logged_out(run: Run, database_url: str) -> None:
    """The epoch goes up, which ends every access token issued so far."""
    user = ann(run)
    assert run("revoke", "user", "ANN").stdout == "user ANN  revoked\n"
    [change] = changes(database_url)
    assert (change.kind, change.issuer, change.subject, change.epoch) == ("user", "", user["id"], 1)


def test_a_token_is_ended(run: Run, database_url: str) -> None:
    """One row, for as long as such a token could live."""
    assert run("revoke", "token", "the-jti").exit_code == 0
    [change] = changes(database_url)
    assert (change.kind, change.subject, change.epoch) == ("token", "the-jti", None)


@pytest.mark.parametrize("session", [UNKNOWN, "nonsense"])
def test_what_is_not_there_is_said(run: Run, database_url: str, session: str) -> None:
    """An unknown session or user is an error, and nothing is written."""
    assert "no such session" in refusal(run("revoke", "session", session))
    assert "no such user" in refusal(run("revoke", "user", "nobody"))
    assert changes(database_url) == []


@pytest.mark.parametrize(("kind", "epoch"), [("user", 1), ("session", None), ("token", None)])
def test_what_is_an_issuers_is_ended_for_that_issuer(
    run: Run, database_url: str, kind: str, epoch: int | None
) -> None:
    """By the name it has there, and for as long as is said."""
    arguments = ("revoke", kind, "its-name", "--issuer", ISSUER, "--for", "60")
    result = run(*arguments, ISSUERS=ISSUERS)
    assert result.exit_code == 0, result.output
    [change] = changes(database_url)
    assert (change.kind, change.issuer, change.subject) == (kind, ISSUER, "its-name")
    assert change.epoch == epoch


def test_a_stranger_is_no_issuer(run: Run, database_url: str) -> None:
    """A misspelt issuer is not taken: the row would end nothing."""
    result = run("revoke", "user", "x", "--issuer", "https://other.test", ISSUERS=ISSUERS)
    assert ISSUER in refusal(result)
    assert changes(database_url) == []


@pytest.mark.parametrize("kind", ["session", "user", "token"])
def test_an_empty_shell_variable_revokes_nothing(run: Run, kind: str) -> None:
    """Tokens that lack such a claim would match it; and --for is for issuers only."""
    result = run("revoke", kind, "")
    assert (result.exit_code, "is empty" in result.stderr) == (2, True)
    result = run("revoke", kind, "x", "--for", "60")
    assert (result.exit_code, "--for goes with --issuer" in result.stderr) == (1, True)
