"""`edge users`: making and changing accounts from the command line.

Passwords come from a prompt or from standard input, never from an argument, which every process
on the machine can read.
"""

import sys
from collections.abc import Awaitable, Callable

import click

from edge.accounts.accounts import Accounts
from edge.accounts.user import User
from edge.cli.common import fail, print_json, with_stores
from edge.composition import Edge
from edge.http.accounts import profile_of
from edge.reasons import Reason
from edge.telemetry.events import (
    AccountChanged,
    AccountCreated,
    AccountDeleted,
    AccountDisabled,
    AccountEnabled,
    AccountPasswordChanged,
    AccountRolesChanged,
)

_PAGE = 100

_EXPLANATIONS = {
    Reason.USERNAME_INVALID: (
        "usernames have 3 to 64 letters, digits and ._-@+ and start with a letter or digit"
    ),
    Reason.USERNAME_TAKEN: "another user has this name",
    Reason.EMAIL_INVALID: "that is not an email address",
    Reason.FULL_NAME_INVALID: "full names have up to 200 printable characters",
    Reason.ROLE_INVALID: "roles have up to 32 of a-z 0-9 _ - and start with a letter",
    Reason.PASSWORD_TOO_SHORT: "the password is too short (EDGE_PASSWORDS_MIN_LENGTH)",
    Reason.PASSWORD_TOO_LONG: "the password is too long (EDGE_PASSWORDS_MAX_LENGTH)",
    Reason.PASSWORD_COMMON: "the password is among the first that anybody tries",
    Reason.PASSWORD_GUESSABLE: "the password is easy to guess",
    Reason.PASSWORD_CONTEXTUAL: (
        "the password is made of the username, the email address or the name of the service"
    ),
    Reason.PASSWORD_NOT_TEXT: "the password is not valid text",
}

_json_option = click.option("--json", "as_json", is_flag=True, help="Print for machines.")
_username_argument = click.argument("username")
_roles_option = click.option(
    "--role", "roles", multiple=True, metavar="ROLE", help="A role; may be given several times."
)


@click.group()
def users() -> None:
    """Make, show and change accounts."""


@users.command()
@_username_argument
@_roles_option
@click.option("--email", help="The email address.")
@click.option("--full-name", help="The name people go by.")
@_json_option
def add(
    username: str,
    roles: tuple[str, ...],
    email: str | None,
    full_name: str | None,
    *,
    as_json: bool,
) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    password = _read_password()

    async def work(edge: Edge) -> User:
        user = _user_or_fail(
            await edge.accounts.add(
                username, password, roles=roles, email=email, full_name=full_name
            )
        )
        _record(edge, AccountCreated, user)
        return user

    _show(with_stores(work), as_json=as_json)


@users.command(name="list")
@_json_option
def list_users(*, as_json: bool) -> None:
    """List all users."""

    async def work(edge: Edge) -> list[User]:
        found: list[User] = []
        while page := await edge.accounts.page(
            after=found[-1].username if found else "", limit=_PAGE
        ):
            found += page
        return found

    found = with_stores(work)
    if as_json:
        print_json([profile_of(user) for user in found])
        return
    for user in found:
        click.echo(_line(user))


@users.command()
@_username_argument
@_json_option
def show(username: str, *, as_json: bool) -> None:
    """Show one user."""

    async def work(edge: Edge) -> User:
        return await _find(edge.accounts, username)

    _show(with_stores(work), as_json=as_json)


@users.command(name="set-roles")
@_username_argument
@click.argument("roles", nargs=-1)
@_json_option
def set_roles(username: str, roles: tuple[str, ...], *, as_json: bool) -> None:
    """Replace the roles of a user; without any, take all away.

    Where a role is taken away, the access tokens issued so far die.
    """

    async def work(edge: Edge, user: User) -> User | Reason | None:
        return await edge.accounts.set_roles(user, roles)

    _change(username, work, AccountRolesChanged, as_json=as_json)


@users.command(name="set-password")
@_username_argument
@_json_option
def set_password(username: str, *, as_json: bool) -> None:
    """Replace the password of a user, which ends all sessions.

    The password is asked for, or read from standard input.
    """
    password = _read_password()

    async def work(edge: Edge, user: User) -> User | Reason | None:
        return await edge.accounts.set_password(user, password)

    _change(username, work, AccountPasswordChanged, as_json=as_json)


@users.command()
@_username_argument
@_json_option
def disable(username: str, *, as_json: bool) -> None:
    """Keep a user out, which ends all sessions."""

    async def work(edge: Edge, user: User) -> User | None:
        return await edge.accounts.disable(user)

    _change(username, work, AccountDisabled, as_json=as_json)


@users.command()
@_username_argument
@_json_option
def enable(username: str, *, as_json: bool) -> None:
    """Let a disabled user in again."""

    async def work(edge: Edge, user: User) -> User | None:
        return await edge.accounts.enable(user)

    _change(username, work, AccountEnabled, as_json=as_json)


@users.command()
@_username_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(username: str, *, yes: bool) -> None:
    """Delete a user, which ends all sessions. This cannot be undone."""
    if not yes:
        click.confirm(f"Delete {username}?", abort=True)

    async def work(edge: Edge) -> None:
        user = await _find(edge.accounts, username)
        if await edge.accounts.delete(user):
            _record(edge, AccountDeleted, user)

    with_stores(work)
    click.echo(f"{username} is deleted.")


def _change(
    username: str,
    work: Callable[[Edge, User], Awaitable[User | Reason | None]],
    event: type[AccountChanged],
    *,
    as_json: bool,
) -> None:
    async def find_and_work(edge: Edge) -> User:
        user = _user_or_fail(await work(edge, await _find(edge.accounts, username)))
        _record(edge, event, user)
        return user

    _show(with_stores(find_and_work), as_json=as_json)


async def _find(accounts: Accounts, username: str) -> User:
    return _user_or_fail(await accounts.find_by_name(username))


def _user_or_fail(outcome: User | Reason | None) -> User:
    if outcome is None:
        fail("there is no such user")
    if isinstance(outcome, Reason):
        fail(f"{outcome}: {_EXPLANATIONS[outcome]}")
    return outcome


def _record(edge: Edge, event: type[AccountChanged], user: User) -> None:
    edge.record(event(principal=str(user.id), by="cli"))


def _read_password() -> str:
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return password
    return sys.stdin.readline().rstrip("\r\n")


def _show(user: User, *, as_json: bool) -> None:
    if as_json:
        print_json(profile_of(user))
    else:
        click.echo(_line(user))


def _line(user: User) -> str:
    state = "disabled" if user.is_disabled else "enabled"
    return f"{user.id}  {user.username}  {state}  {','.join(user.roles) or '-'}"
