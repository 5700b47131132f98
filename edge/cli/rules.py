"""`edge rules`: who may ask what, and why a request is let through or not."""

from collections.abc import Iterable

import click
import msgspec

from edge.access.access_rules import AccessRule
from edge.access.principal import Method, Principal
from edge.access.rules import RoleHierarchy, ScopePolicy
from edge.accounts.user import User
from edge.cli.common import fail, print_json, read_settings, with_stores
from edge.composition import Edge
from edge.forwarding import access_rules
from edge.http.forward.dialects import canonical
from edge.reasons import Reason

_json_option = click.option("--json", "as_json", is_flag=True, help="Print for machines.")


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What becomes of a request; `reason` is why it is refused."""

    outcome: str
    rule: str = ""
    reason: str = ""
    detail: str = ""


@click.group()
def rules() -> None:
    """Show access rules."""


@rules.command(name="list")
@_json_option
def list_rules(*, as_json: bool) -> None:
    """List all access rules in their order; the first that covers a request counts."""
    shown = access_rules(read_settings()).rules
    if as_json:
        print_json([msgspec.to_builtins(rule) for rule in shown])
        return
    for rule in shown:
        click.echo(_line(rule))


@rules.command()
@click.option("--host", required=True, help="The host of the request.")
@click.option("--path", required=True, help="Its path, as it is sent.")
@click.option("--method", default="GET", show_default=True, help="Its method.")
@click.option("--as", "username", help="The user who asks; nobody where it is left out.")
@click.option(
    "--by",
    "authentication",
    type=click.Choice(["bearer", "basic"]),
    default="bearer",
    show_default=True,
    help="What the user proves it by.",
)
@_json_option
def test(
    host: str,
    path: str,
    method: str,
    username: str | None,
    authentication: Method,
    *,
    as_json: bool,
) -> None:
    """Say what would become of a request, and why. Rate policies are not counted.

    A user has all the scopes that their roles may hold; a token may have fewer.
    """
    explained = _explain(host, path, method, username, authentication)
    if as_json:
        print_json(msgspec.to_builtins(explained))
        return
    why = f" ({explained.reason})" if explained.reason else ""
    rule = f"rule {explained.rule}" if explained.rule else "no rule"
    click.echo(f"{explained.outcome}{why}: {rule}")
    if explained.detail:
        click.echo(f"  {explained.detail}")


def _explain(
    host: str, path: str, method: str, username: str | None, authentication: Method
) -> Explanation:
    asked = canonical(method, host, path)
    if isinstance(asked, Reason):
        return Explanation(outcome="refused", reason=asked.value)
    rule = access_rules(read_settings()).find(asked.method, asked.host, asked.path)
    if rule is None:
        return Explanation(outcome="refused", reason=Reason.RULE_MISSING.value)
    if rule.is_public:
        return Explanation(outcome="allowed", rule=rule.name, detail="nobody is asked")
    principal = _principal(username, authentication) if username else None
    return _judged(rule, principal)


def _judged(rule: AccessRule, principal: Principal | None) -> Explanation:
    refused = "allowed, being a shadow" if rule.is_shadow else "refused"
    if principal is None or principal.method not in rule.authentication:
        return Explanation(
            outcome=refused,
            rule=rule.name,
            reason=Reason.CREDENTIALS_MISSING.value,
            detail=f"it takes {_listed(rule.authentication)}",
        )
    refusal = rule.judge(principal)
    has = f"has roles {_listed(principal.roles)}; scopes {_listed(principal.scopes)}"
    if refusal is None:
        return Explanation(outcome="allowed", rule=rule.name, detail=has)
    needed = f"needs {_needs(rule)}; {has}"
    return Explanation(outcome=refused, rule=rule.name, reason=refusal.reason.value, detail=needed)


def _principal(username: str, method: Method) -> Principal:
    async def find(edge: Edge) -> User | None:
        return await edge.accounts.find_by_name(username)

    user = with_stores(find)
    if user is None:
        fail(f"there is no user {username}")
    if user.is_disabled:
        fail(f"{username} is disabled, and may nothing")
    access = read_settings().access
    roles = RoleHierarchy(access.role_includes).effective(user.roles)
    scopes = ScopePolicy(access.scopes).allowed(roles)
    return Principal(
        subject=str(user.id), method=method, roles=roles, scopes=scopes, user_id=user.id
    )


def _line(rule: AccessRule) -> str:
    where = " ".join((*rule.methods, *rule.hosts, *rule.paths)) or "everything"
    who = "public" if rule.is_public else f"{_listed(rule.authentication)}, {_needs(rule)}"
    more = [f"counted by {_listed(rule.rate_policies)}"] if rule.rate_policies else []
    more += [f"assertion for {rule.audience}"] if rule.audience else []
    more += ["shadow"] if rule.is_shadow else []
    return "  ".join((rule.name, where, who, *more))


def _needs(rule: AccessRule) -> str:
    needs = [f"one of {_listed(rule.roles)}"] if rule.roles else []
    needs += [f"scopes {_listed(rule.scopes)}"] if rule.scopes else []
    return " and ".join(needs) or "anybody"


def _listed(names: Iterable[str]) -> str:
    return "+".join(sorted(names)) or "none"
