"""Accounts for logging in: made by an administrator at the first run, and found at later ones.

Their passwords follow from the administrator's, so all workers know them and none is kept.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from loadtests.plain_http import ask

_PAGE: Final = 200  # the most that Edge gives at once


@dataclass(frozen=True)
class Account:
    username: str
    password: str


def ensure_accounts(url: str, count: int) -> list[Account]:
    """Make the accounts that are not there yet, as the administrator of the environment.

    Raises:
        ValueError: there is no such administrator, or an account has another password.
        OSError: nobody answers.
    """
    admin = _administrator()
    token = _log_in(url, admin)
    accounts = [_account(admin, number) for number in range(count)]
    there = _usernames(url, token)
    for account in accounts:
        if account.username not in there:
            _make(url, token, account)
    _log_in(url, accounts[0])
    return accounts


def _administrator() -> Account:
    name = os.environ.get("LOADTEST_ADMIN", "")
    password = os.environ.get("LOADTEST_ADMIN_PASSWORD", "")
    if file := os.environ.get("LOADTEST_ADMIN_PASSWORD_FILE", ""):
        password = Path(file).read_text(encoding="utf-8").strip()
    if not name or not password:
        message = "no LOADTEST_ADMIN, or no LOADTEST_ADMIN_PASSWORD; see docs/load-testing.md"
        raise ValueError(message)
    return Account(name, password)


def _account(admin: Account, number: int) -> Account:
    username = f"loadtest-{number}"
    derived = hmac.digest(admin.password.encode(), username.encode(), hashlib.sha256)
    return Account(username, derived.hex())


def _log_in(url: str, account: Account) -> str:
    body = {"username": account.username, "password": account.password}
    reply = ask(f"{url}/login", body=body)
    if reply.status != HTTPStatus.OK:
        message = f"{account.username} cannot log in: {reply.describe()}"
        raise ValueError(message)
    return str(reply.document["access_token"])


def _usernames(url: str, token: str) -> set[str]:
    found: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = ask(f"{url}/admin/users?limit={_PAGE}{more}", token=token).document
        if "users" not in page:
            message = f"LOADTEST_ADMIN may not list users: {page.get('code')}"
            raise ValueError(message)
        found.update(user["username"] for user in page["users"])
        cursor = page["next_cursor"]
    return found


def _make(url: str, token: str, account: Account) -> None:
    body = {"username": account.username, "password": account.password, "roles": ["user"]}
    reply = ask(f"{url}/admin/users", token=token, body=body)
    if reply.status not in (HTTPStatus.CREATED, HTTPStatus.CONFLICT):  # another worker was first
        message = f"no account {account.username}: {reply.describe()}"
        raise ValueError(message)
