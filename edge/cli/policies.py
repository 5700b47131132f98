"""`edge policies`: which rate policies there are, and which a request would meet."""

import click
import msgspec

from edge.cli.common import build, print_json, read_settings
from edge.http.rate_limits import RateLimits
from edge.ratelimit.policy import Policy

_json_option = click.option("--json", "as_json", is_flag=True, help="Print for machines.")


@click.group()
def policies() -> None:
    """Show rate policies."""


@policies.command(name="list")
@_json_option
def list_policies(*, as_json: bool) -> None:
    """List all policies in force, the defaults first."""
    _show(build(read_settings()).policies, as_json=as_json)


@policies.command()
@click.option("--path", required=True, help="The path of the request, or the route as it is named.")
@click.option("--method", default="GET", show_default=True, help="Its method.")
@click.option("--login", is_flag=True, help="It is an attempt to log in, too.")
@_json_option
def test(path: str, method: str, *, login: bool, as_json: bool) -> None:
    """List the policies that a request would meet, besides those of its route itself."""
    edge = build(read_settings())
    limits = RateLimits(edge.limiter, edge.policies, legacy=False)
    met = limits.covering(method.upper(), path, path)
    if login:
        met += [policy for policy in edge.policies if policy.counts == "logins"]
    _show(met, as_json=as_json)


def _show(shown: list[Policy], *, as_json: bool) -> None:
    if as_json:
        print_json([msgspec.structs.asdict(policy) for policy in shown])
        return
    for policy in shown:
        click.echo(_line(policy))


def _line(policy: Policy) -> str:
    where = " ".join((*policy.methods, *policy.routes, *policy.paths)) or "everywhere"
    shadow = "  shadow" if policy.is_shadow else ""
    return (
        f"{policy.name}  {policy.limit} in {policy.window_s:g} s  {policy.algorithm}"
        f"  by {'+'.join(policy.partition)}  {policy.counts}  {where}"
        f"  without Redis: {policy.on_outage}{shadow}"
    )
