"""Where results go: the terminal, and files in the formats that were asked for."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from benchmarks import report
from benchmarks.harness.errors import UsageError
from benchmarks.results import Comparison, Report

Result = Comparison | Report

_DECODER: Final[msgspec.json.Decoder[Result]] = msgspec.json.Decoder(Result)


class Outputs(msgspec.Struct, frozen=True):
    """The files that were asked for; `-` is standard output."""

    json: str | None
    markdown: str | None
    svg: str | None
    html: str | None

    def write(self, result: Result) -> None:
        """Write them, and the table on the terminal unless standard output is one of them."""
        made: tuple[tuple[str | None, Callable[[], bytes]], ...] = (
            (self.json, lambda: encode(result)),
            (self.markdown, lambda: report.markdown(result).encode()),
            (self.svg, lambda: report.svg(result).encode()),
            (self.html, lambda: report.html(result).encode()),
        )
        for path, make in made:
            if path is not None:
                write(path, make())
        if "-" not in (self.json, self.markdown, self.svg, self.html):
            click.echo(report.terminal(result, colour=_has_colour()), nl=False)


def _has_colour() -> bool:
    """Say whether a person looks who did not switch colours off (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


class OutputFile(click.ParamType[str]):
    """A file that can be written; that is found out before anything is measured."""

    name = "file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a folder, and a file in a folder that is not there."""
        path = Path(value)
        if value != "-" and (path.is_dir() or not os.access(path.resolve().parent, os.W_OK)):
            self.fail(f"{value} cannot be written", param, ctx)
        return value


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name files; the command gets them as `outputs`."""

    @wraps(command)
    def with_outputs(*arguments: object, **given: Any) -> None:  # noqa: ANN401  # as click gives it
        outputs = Outputs(*(given.pop(f"{name}_file") for name, _ in _OPTIONS))
        command(*arguments, outputs=outputs, **given)

    for name, what in reversed(_OPTIONS):
        file = click.option(
            f"--{name}", f"{name}_file", type=OutputFile(), metavar="FILE", help=what
        )
        with_outputs = file(with_outputs)
    return with_outputs


_OPTIONS: Final = (
    ("json", "Write the result as JSON, which `report` and `export` read; - is standard output."),
    ("markdown", "Write it for a pull request."),
    ("svg", "Write a picture of it."),
    ("html", "Write a page with everything."),
)


def encode(result: Result) -> bytes:
    """Give a result as JSON."""
    return msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n"


def write(path: str, content: bytes) -> None:
    """Write a file, or to standard output."""
    with click.open_file(path, "wb") as file:
        file.write(content)


def read(path: str) -> Result:
    """Read a result.

    Raises:
        UsageError: the file is none.
    """
    with click.open_file(path, "rb") as file:
        content = file.read()
    try:
        return _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"{path} is no result of edge-bench: {error}"
        raise UsageError(message) from None
