"""`edge policies`: which rate policies there are, and which a request would meet."""

import re
from collections.abc import Mapping
from typing import Any

import click
import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute

from edge.app import create_app
from edge.cli.common import fail_with, print_json, read_settings
from edge.http.enforcement import accepted_methods
from edge.plugin import EdgePlugin
from edge.ratelimit.policy import Policy
from edge.settings import Settings, SettingsError

_json_option = click.option("--json", "as_json", is_flag=True, help="Print for machines.")


@click.group()
def policies() -> None:
    """Show rate policies."""


@policies.command(name="list")
@_json_option
def list_policies(*, as_json: bool) -> None:
    """List all policies in force, the defaults first, those that routes bring last."""
    _show(all_policies(read_settings()), as_json=as_json)


@policies.command()
@click.option("--path", required=True, help="The path of the request, or the route as it is named.")
@click.option("--method", default="GET", show_default=True, help="Its method.")
@click.option("--login", is_flag=True, help="It is an attempt to log in, too.")
@_json_option
def test(path: str, method: str, *, login: bool, as_json: bool) -> None:
    """List the policies that a request to the service would meet, those of its route too."""
    app = _build_app(read_settings())
    plugin = app.plugins.get(EdgePlugin)
    opt, template = _route_of(app, method.upper(), path)
    met = plugin.limits.met(opt, method.upper(), template, path)
    if not template or not accepted_methods(opt):  # nobody is asked who they are
        met = [policy for policy in met if {"principal", "client"}.isdisjoint(policy.partition)]
    if login:
        met += [policy for policy in plugin.edge.policies if policy.counts == "logins"]
    _show(met, as_json=as_json)


def all_policies(settings: Settings) -> list[Policy]:
    """Give the policies in force, those that routes of the service bring themselves too."""
    app = _build_app(settings)
    plugin = app.plugins.get(EdgePlugin)
    found = {policy.name: policy for policy in plugin.edge.policies}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for policy in plugin.limits.met(handler.opt, "", "", ""):
                found.setdefault(policy.name, policy)
    return list(found.values())


def _build_app(settings: Settings) -> Litestar:
    try:
        return create_app(settings)
    except SettingsError as error:
        fail_with(error.findings)


def _route_of(app: Litestar, method: str, path: str) -> tuple[Mapping[str, Any], str]:
    """Give the options of the route that answers a path, and its name; of unknown ones, none."""
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    for route in sorted(routes, key=lambda route: bool(route.path_parameters)):
        pattern = re.sub(r"\\\{\w+\\\}", ".+", re.escape(route.path_format))
        if path == route.path_format or re.fullmatch(pattern, path):
            for handler in route.route_handlers:
                if method in handler.http_methods:
                    return handler.opt, route.path_format
    return {}, ""


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
