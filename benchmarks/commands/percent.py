"""Percentages on the command line."""

import re
from typing import Final

import click

_WRITTEN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%?")
_WHOLE: Final = 100


class Percent(click.ParamType[float]):
    """A part, written as 2% or 2."""

    name = "percent"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give 0.02 for 2%."""
        written = _WRITTEN.fullmatch(value)
        if written is None or not 0 < float(written[1]) <= _WHOLE:
            self.fail(f"{value!r} is not a percentage, such as 2%", param, ctx)
        return float(written[1]) / _WHOLE
