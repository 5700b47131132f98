"""The demo accounts: one for each role, to try things with; in development only.

Passwords are random, printed when they are made and kept in the data folder, so that they survive
restarts and a script can read them.
"""

import os
import secrets
from pathlib import Path

from edge.accounts.accounts import Accounts
from edge.accounts.user import User
from edge.reasons import Reason

ROLES = {"admin": ["admin"], "moderator": ["moderator"], "user": ["user"]}


async def ensure_demo_accounts(accounts: Accounts, folder: Path) -> dict[str, str]:
    """Make the accounts that are missing; gives the passwords made now, by username.

    An account whose password file was lost gets a new password.
    """
    made: dict[str, str] = {}
    for username, roles in ROLES.items():
        user = await accounts.find_by_name(username)
        file = folder / username
        if user is not None and (_is_kept(file) or not user.is_demo):
            continue
        password = secrets.token_urlsafe(18)
        await _store(accounts, user, username, password, roles)
        _write(file, password)
        made[username] = password
    return made


async def _store(
    accounts: Accounts, user: User | None, username: str, password: str, roles: list[str]
) -> None:
    outcome: User | Reason | None
    if user is None:
        outcome = await accounts.add(username, password, roles=roles, is_demo=True)
    else:
        outcome = await accounts.set_password(user, password)
    if not isinstance(outcome, User):
        message = f"cannot make the demo account {username}: {outcome}"
        raise RuntimeError(message)  # noqa: TRY004  # the account is at fault, not a type


def _is_kept(file: Path) -> bool:
    return file.exists()


def _write(file: Path, password: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(password + "\n")
