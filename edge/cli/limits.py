"""`edge limits`: how the window of a policy stands for somebody, and emptying it."""

import asyncio
from collections.abc import Awaitable, Sequence
from math import ceil
from typing import TypeVar

import click

from edge.access.login_attempts import account_of
from edge.cli.common import fail, print_json, read_settings
from edge.cli.policies import all_policies
from edge.faults import UnavailableError
from edge.ratelimit.charge import Charge
from edge.ratelimit.limiter import apply
from edge.ratelimit.partition import Facts
from edge.ratelimit.policy import HEADER, Policy
from edge.settings import Settings

_Result = TypeVar("_Result")
_MICROSECONDS = 1_000_000

_policy_argument = click.argument("policy")
_key_argument = click.argument("key", nargs=-1)
_role_option = click.option("--role", "roles", multiple=True, help="A role they have.")


@click.group()
def limits() -> None:
    """See and empty rate limit windows in Redis.

    KEY is a value for each part that the policy counts by, in its order: an address, the subject of
    a principal, a username; nothing for `global`. `edge policies list` shows the parts.
    """


@limits.command()
@_policy_argument
@_key_argument
@_role_option
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def show(policy: str, key: tuple[str, ...], roles: tuple[str, ...], *, as_json: bool) -> None:
    """Show what is left of POLICY for KEY."""
    settings = read_settings()
    url = _redis_url(settings)
    charge = _charge(settings, policy, key, roles)
    from edge.ratelimit.redis_inspection import look_at  # noqa: PLC0415  # an extra

    [verdict] = _run(look_at(url, [charge]))
    limit, reset_s = charge.quota.limit, ceil(verdict.reset_after_us / _MICROSECONDS)
    if as_json:
        shown = {"limit": limit, "remaining": verdict.remaining, "reset_after_s": reset_s}
        print_json({"policy": policy, "key": key, **shown})
        return
    click.echo(f"{verdict.remaining} of {limit} left, all of it in {reset_s} s")


@limits.command()
@_policy_argument
@_key_argument
def reset(policy: str, key: tuple[str, ...]) -> None:
    """Forget what was charged on POLICY for KEY.

    Workers remember a refusal for up to a second; so long it may still be given.
    """
    settings = read_settings()
    url = _redis_url(settings)
    charge = _charge(settings, policy, key)
    from edge.ratelimit.redis_inspection import empty  # noqa: PLC0415  # an extra

    was_there = _run(empty(url, charge))
    click.echo("reset" if was_there else "nothing was charged")


def _charge(settings: Settings, name: str, key: Sequence[str], roles: Sequence[str] = ()) -> Charge:
    """Give the charge on the window; a name or key that does not fit ends the process."""
    policies = {policy.name: policy for policy in all_policies(settings)}
    if name not in policies:
        fail(f"there is no policy {name!r}; there are {', '.join(policies)}")
    policy = policies[name]
    parts = [part for part in policy.partition if part != "global"]
    if len(key) != len(parts):
        fail(f"{name!r} counts by {' and '.join(parts) or 'nothing'}: give a value for each")
    [applied] = apply([policy], _facts(policy, dict(zip(parts, key, strict=True))), roles)
    return applied.charge


def _facts(policy: Policy, values: dict[str, str]) -> Facts:
    account = values.get("account")
    return Facts(
        address=values.get("address", ""),
        route=values.get("route", ""),
        principal=values.get("principal"),
        client=values.get("client"),
        account=None if account is None else account_of(account),
        headers={
            part.removeprefix(HEADER): values[part]
            for part in policy.partition
            if part.startswith(HEADER)
        },
    )


def _redis_url(settings: Settings) -> str:
    if settings.redis.url is None:
        fail("without EDGE_REDIS_URL each process counts in its own memory, which ends with it")
    return settings.redis.url.reveal()


def _run(asked: Awaitable[_Result]) -> _Result:
    async def run() -> _Result:
        return await asked

    try:
        return asyncio.run(run())
    except UnavailableError as error:
        fail(f"{error.reason}: {error.__cause__ or 'try again'}")
