"""The `edge` command, one module a command group."""

import click

from edge.cli.check import check, settings
from edge.cli.clients import clients
from edge.cli.db import db
from edge.cli.drain import drain
from edge.cli.keys import keys
from edge.cli.limits import limits
from edge.cli.policies import policies
from edge.cli.revoke import revoke
from edge.cli.rules import rules
from edge.cli.serve import serve
from edge.cli.users import users


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="edge", message="edge %(version)s")
def main() -> None:
    """Authentication, authorization and rate limits for HTTP services."""


_OPERATING = (serve, drain, check, settings, db)
_ACCOUNTS = (users, clients, keys, revoke)
_DECISIONS = (rules, policies, limits)
for command in (*_OPERATING, *_ACCOUNTS, *_DECISIONS):
    main.add_command(command)
