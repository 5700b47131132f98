"""Options that several commands have."""

from typing import Final

import click

expression_option: Final = click.option(
    "-k",
    "expression",
    metavar="EXPRESSION",
    help="Cases by parts of their ids: 'verify and not cold'.",
)
